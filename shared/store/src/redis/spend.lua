-- Asks the budget KEYS[1] for one call. ARGV[1] is how many calls to leave; then seconds and limit of each window.
-- Answers 0 if granted, else the microseconds to wait.
local time = redis.call('TIME')
local second = tonumber(time[1])
local now = second * 1000000 + tonumber(time[2])
local leave = tonumber(ARGV[1])
local wait, longest = 0, 0
local counted = {}
for at = 2, #ARGV, 2 do
  local seconds, limit = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local start = second - second % seconds
  local left = (start + seconds) * 1000000 - now
  local window = redis.call('HMGET', KEYS[1], 'start:' .. ARGV[at], 'used:' .. ARGV[at], 'rest:' .. ARGV[at])
  local used = 0
  if tonumber(window[1] or -1) == start then
    used = tonumber(window[2])
  end
  if used + 1 > limit - leave then
    wait = math.max(wait, left)
  end
  wait = math.max(wait, tonumber(window[3] or 0) - now)
  longest = math.max(longest, left)
  for _, field in ipairs({'start:' .. ARGV[at], tostring(start), 'used:' .. ARGV[at], tostring(used + 1)}) do
    counted[#counted + 1] = field
  end
end
if wait == 0 and #counted > 0 then
  redis.call('HSET', KEYS[1], unpack(counted))
  local keep = math.ceil(longest / 1000)
  if redis.call('PTTL', KEYS[1]) < keep then
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', keep))
  end
end
return wait
