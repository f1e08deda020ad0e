-- release: a writer has committed, or given up.
--
-- KEYS  token and writers of each tag, in turn; then the tokens that are watched; of a Cluster, all in one slot
-- ARGV  1 writer   2 number of tags
-- Returns the watched tokens. O(tags + watched).
--
-- The token goes in any case: if the writer's intent had lapsed, a token may have been minted since.

local last = 2 * ARGV[2]
for i = 1, last, 2 do
  redis.call('DEL', KEYS[i])
end

for i = 1, last, 2 do
  local token, writers = KEYS[i], KEYS[i + 1]
  call('ZREM', writers, ARGV[1])
  -- Others still writing: readers must go on seeing it. (-2: no such key, -1: no expiry, never for this key.)
  local left = redis.call('PTTL', writers)
  if left > 0 then
    redis.call('SET', token, '!', 'PX', left)
  end
end

local watched = {}
for i = last + 1, #KEYS do
  watched[#watched + 1] = call('GET', KEYS[i])
end
return watched
