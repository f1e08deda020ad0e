-- intend: a writer announces itself before its COMMIT.
--
-- KEYS  token and writers of each tag, in turn; then the tokens that are watched; of a Cluster, all in one slot
-- ARGV  1 writer   2 number of tags   3 time to live, ms
-- Returns the watched tokens. O(tags + watched). Redis 5 or later (TIME before a write needs effects replication).
--
-- Repeating it renews the intent. The deadline is the server's own clock's, so it does not matter what the clocks
-- of the writers say.

-- DEL first: at maxmemory a script may go on to write only if its first write frees memory.
local last = 2 * ARGV[2]
for i = 1, last, 2 do
  redis.call('DEL', KEYS[i])
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[3])

for i = 1, last, 2 do
  local token, writers = KEYS[i], KEYS[i + 1]
  call('ZADD', writers, now + ttl, ARGV[1])
  -- The set lives as long as its longest intent.
  local left = redis.call('PTTL', writers)
  if left < ttl then
    left = ttl
    redis.call('PEXPIRE', writers, left)
  end
  redis.call('SET', token, '!', 'PX', left)
end

-- After the intent: whoever changes a watched token from now on finds the writer among its tags' writers.
local watched = {}
for i = last + 1, #KEYS do
  watched[#watched + 1] = call('GET', KEYS[i])
end
return watched
