--[[
  The journeys that have reached their limit, the longest overdue first.

  KEYS
    1  journey:expiries
  ARGV
    1  the time in ms, or '' for Redis' own clock
    2  how many at most
  Returns
    their sessionIds
]]
-- include: clock
-- include: old_track
local expiriesKey = KEYS[1]
local nowMs, limit = now_ms(ARGV[1]), tonumber(ARGV[2])

local due = redis.call('ZRANGEBYSCORE', expiriesKey, '-inf', whole(nowMs), 'LIMIT', 0, limit)
local old = redis.call('ZRANGEBYSCORE', old_expiries_key(expiriesKey), '-inf', whole(nowMs), 'LIMIT', 0, limit - #due)
for _, sessionId in ipairs(old) do due[#due + 1] = sessionId end
return due
