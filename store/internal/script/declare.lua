-- declare: a reader adds names to a registry, before it stores what depends on them.
--
-- KEYS  1 token of the registry   2 its writers
-- ARGV  1 16 random bytes   2 time to live of a new token, ms   3 greatest number of names   4… names
-- Returns the token with the names behind it, one a line, or '!' while it has writers. O(names). Redis 5 or later.
--
-- A token whose names have changed is another one: who knows the old one knows the old names.

local SIZE = 16

local time = redis.call('TIME')
local value = call('GET', KEYS[1])
if not value or #value < SIZE then -- nothing, what is no token, or '!'
  call('ZREMRANGEBYSCORE', KEYS[2], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
  if redis.call('EXISTS', KEYS[2]) == 1 then
    return '!'
  end
  value = nil
end

local names, known, count = '', {}, 0
if value then
  for name in string.gmatch(string.sub(value, SIZE + 1), '[^\n]+') do
    names, known[name], count = names .. '\n' .. name, true, count + 1
  end
end
local changed = not value
for i = 4, #ARGV do
  if not known[ARGV[i]] and count < tonumber(ARGV[3]) then
    names, known[ARGV[i]], count, changed = names .. '\n' .. ARGV[i], true, count + 1, true
  end
end
if not changed then
  return value
end
-- Half of a token is random, half is the time: a step that is carried out again does not bring its token back.
local clock, rest = '', time[1] * 1000000 + time[2]
for _ = 1, SIZE / 2 do
  clock, rest = clock .. string.char(rest % 256), math.floor(rest / 256)
end
value = string.sub(ARGV[1], 1, SIZE / 2) .. clock .. string.sub(names, 2)
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return value
