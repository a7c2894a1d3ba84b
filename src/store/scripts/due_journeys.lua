--[[
  The journeys whose limit has passed, oldest first.

  KEYS  1 deadlines
  ARGV  1 clock override  2 how many at most
  Returns  their sessionIds
]]
-- include: clock
local deadlinesKey, limit = KEYS[1], ARGV[2]
return redis.call('ZRANGEBYSCORE', deadlinesKey, '-inf', whole(now_ms(ARGV[1])), 'LIMIT', 0, limit)
