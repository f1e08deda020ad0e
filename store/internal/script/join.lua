-- join: a writer becomes one of a tag's writers, where that has to be a step of its own.
--
-- KEYS  writers of the tag
-- ARGV  1 writer   2 time to live, ms
--
-- The token is dropped after it: as of now none is minted.

local time, ttl = redis.call('TIME'), tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ttl, ARGV[1])
if redis.call('PTTL', KEYS[1]) < ttl then
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return 1
