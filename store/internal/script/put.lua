-- put: stores an entry, where its bytes travel as text.
--
-- KEYS  its name
-- ARGV  1 its bytes   2 time to live, ms

return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
