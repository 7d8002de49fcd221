-- Ends the lease KEYS[1] if ARGV[1] holds it. The token stays, so that the next one is higher.
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'until', '0')
end
