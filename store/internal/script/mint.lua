-- mint: a reader asks for the tokens of tags, before it reads the database.
--
-- KEYS  token and writers of each tag, in turn; all in one slot
-- ARGV  the new token and its time to live in ms, for each tag
-- Returns, for each tag, its token, or '!' while it has writers. O(tags). Redis 5 or later.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local tokens = {}
for i = 1, #KEYS, 2 do
  local token, writers = KEYS[i], KEYS[i + 1]
  local value = redis.call('GET', token)
  if not value or value == '!' then
    redis.call('ZREMRANGEBYSCORE', writers, '-inf', now)
    if redis.call('EXISTS', writers) == 1 then
      value = '!'
    else
      value = ARGV[i]
      redis.call('SET', token, value, 'PX', ARGV[i + 1])
    end
  end
  tokens[#tokens + 1] = value
end
return tokens
