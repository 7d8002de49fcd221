-- In the budget KEYS[1], in the window of ARGV[1] seconds, at least ARGV[2] calls have been made.
local second = tonumber(redis.call('TIME')[1])
local seconds = tonumber(ARGV[1])
local start = second - second % seconds
local window = redis.call('HMGET', KEYS[1], 'start:' .. ARGV[1], 'used:' .. ARGV[1])
local used = tonumber(ARGV[2])
if tonumber(window[1] or -1) == start then
  used = math.max(used, tonumber(window[2]))
end
redis.call('HSET', KEYS[1], 'start:' .. ARGV[1], tostring(start), 'used:' .. ARGV[1], tostring(used))
if redis.call('PTTL', KEYS[1]) < seconds * 1000 then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', seconds * 1000))
end
