-- call: stands before the scripts of tokens. What is under one of the cache's names, but of a type that the cache does not
-- put there, counts as nothing: it is deleted, and the command is repeated.

local function call(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    if string.find(reply.err, 'WRONGTYPE', 1, true) then
      redis.call('DEL', key)
    end
    reply = redis.call(command, key, ...)
  end
  return reply
end

