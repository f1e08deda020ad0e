-- mint: a reader asks for the tokens of tags, before it reads the database.
--
-- KEYS  token and writers of each tag, in turn; of a Cluster, all in one slot
-- ARGV  16 random bytes and the time to live of a new token in ms, for each tag
-- Returns, for each tag, its token, or '!' while it has writers. O(tags). Redis 5 or later.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Half of a token is random, half is the time: a step that is carried out again does not bring its token back.
local clock, rest = '', time[1] * 1000000 + time[2]
for _ = 1, 8 do
  clock, rest = clock .. string.char(rest % 256), math.floor(rest / 256)
end

local tokens = {}
for i = 1, #KEYS, 2 do
  local token, writers = KEYS[i], KEYS[i + 1]
  local value = call('GET', token)
  if not value or #value < 16 then -- nothing, what is no token, or '!'
    call('ZREMRANGEBYSCORE', writers, '-inf', now)
    if redis.call('EXISTS', writers) == 1 then
      value = '!'
    else
      value = string.sub(ARGV[i], 1, 8) .. clock
      redis.call('SET', token, value, 'PX', ARGV[i + 1])
    end
  end
  tokens[#tokens + 1] = value
end
return tokens
