-- The budget KEYS[1] grants nothing in the window of ARGV[1] seconds before ARGV[2], in microseconds.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local rest = tonumber(ARGV[2])
if rest > now and rest > tonumber(redis.call('HGET', KEYS[1], 'rest:' .. ARGV[1]) or 0) then
  redis.call('HSET', KEYS[1], 'rest:' .. ARGV[1], ARGV[2])
  local keep = math.ceil((rest - now) / 1000)
  if redis.call('PTTL', KEYS[1]) < keep then
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', keep))
  end
end
