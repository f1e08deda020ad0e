-- release: a writer has committed, or given up.
--
-- KEYS  token and writers of each tag, in turn; all in one slot
-- ARGV  1 writer
-- Returns 1. O(tags).
--
-- The token goes in any case: if the writer's intent had lapsed, a token may have been minted since.

for i = 1, #KEYS, 2 do
  redis.call('DEL', KEYS[i])
end

for i = 1, #KEYS, 2 do
  local token, writers = KEYS[i], KEYS[i + 1]
  redis.call('ZREM', writers, ARGV[1])
  -- Others still writing: readers must go on seeing it. (-2: no such key, -1: no expiry, never for this key.)
  local left = redis.call('PTTL', writers)
  if left > 0 then
    redis.call('SET', token, '!', 'PX', left)
  end
end
return 1
