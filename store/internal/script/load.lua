-- load: a reader asks for entries and tokens, where what only reads may be answered by a server that has not heard of the
-- last writes.
--
-- KEYS  1 a name that nothing is stored under   2… names
-- Returns what is stored under them. O(names).
--
-- The first command writes, and changes nothing: a server that may not write refuses the script, rather than answer with
-- what it knows.

redis.call('DEL', KEYS[1])

local values, most = {}, 1000 -- a call of Lua's takes no more than a few thousand arguments
for i = 2, #KEYS, most do
  local some = redis.call('MGET', unpack(KEYS, i, math.min(i + most - 1, #KEYS)))
  for j = 1, #some do
    values[#values + 1] = some[j]
  end
end
return values
