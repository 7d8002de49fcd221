-- Takes or renews the lease KEYS[1] for the holder ARGV[1], for ARGV[2] microseconds.
-- Answers the token, or nothing if another holds it.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local lease = redis.call('HMGET', KEYS[1], 'holder', 'token', 'until')
local token = tonumber(lease[2] or 0)
local held = tonumber(lease[3] or 0) > now
if held and lease[1] ~= ARGV[1] then
  return false
end
if not held then
  -- At least the time, so that tokens grow even after the store was emptied.
  token = math.max(token + 1, now)
end
token = string.format('%.0f', token)
local keep = tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', token, 'until', string.format('%.0f', now + keep))
-- The token is remembered a day longer than the lease, so that a clock set back does not repeat one.
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.floor(keep / 1000) + 86400000))
return token
