-- All checks, then all changes. KEYS[1] counts the scope's revisions; the keys of the operations follow in order.
-- ARGV[1] is the number of checks, ARGV[2] the number of changes; the operations follow, a letter and its arguments.
-- Answers {0, which check failed} or {1, revision}.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local key_at, argument_at = 1, 2

local function key()
  key_at = key_at + 1
  return KEYS[key_at]
end

local function argument()
  argument_at = argument_at + 1
  return ARGV[argument_at]
end

local holds = {
  -- absent
  A = function()
    return redis.call('EXISTS', key()) == 0
  end,
  -- revision
  R = function()
    local revision = argument()
    return redis.call('HGET', key(), 'r') == revision
  end,
  -- members
  M = function()
    local set, count = key(), tonumber(argument())
    local exact = redis.call('SCARD', set) == count
    for _ = 1, count do
      local member = argument()
      exact = exact and redis.call('SISMEMBER', set, member) == 1
    end
    return exact
  end,
  -- lease
  L = function()
    local token = argument()
    local held = redis.call('HMGET', key(), 'token', 'until')
    return held[1] == token and tonumber(held[2]) > now
  end,
}

for check = 1, tonumber(ARGV[1]) do
  if not holds[argument()]() then
    return {0, tostring(check)}
  end
end

-- Never a revision twice, not even after the store was emptied: at least the time, in microseconds.
local revision = string.format('%.0f', math.max((tonumber(redis.call('GET', KEYS[1]) or 0)) + 1, now))
redis.call('SET', KEYS[1], revision)

local change = {
  -- set
  S = function()
    local entry = key()
    redis.call('HSET', entry, 'r', revision, 'v', argument())
    redis.call('PERSIST', entry)
  end,
  -- set for a time, in milliseconds
  F = function()
    local entry = key()
    redis.call('HSET', entry, 'r', revision, 'v', argument())
    redis.call('PEXPIRE', entry, argument())
  end,
  -- delete entry, set, schedule and list
  D = function()
    redis.call('DEL', key(), key(), key(), key())
  end,
  -- add to, remove from a set
  A = function()
    redis.call('SADD', key(), argument())
  end,
  R = function()
    redis.call('SREM', key(), argument())
  end,
  -- put on, take off a schedule; the time in microseconds
  T = function()
    local member = argument()
    redis.call('ZADD', key(), argument(), member)
  end,
  U = function()
    redis.call('ZREM', key(), argument())
  end,
  -- append, keep so many
  P = function()
    local list, value, keep = key(), argument(), tonumber(argument())
    if keep == 0 then
      redis.call('DEL', list)
    else
      redis.call('LPUSH', list, value)
      redis.call('LTRIM', list, 0, keep - 1)
    end
  end,
}

for _ = 1, tonumber(ARGV[2]) do
  change[argument()]()
end
return {1, revision}
