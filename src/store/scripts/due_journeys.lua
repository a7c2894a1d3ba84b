--[[
  The journeys that have reached their limit, the longest overdue first. Forgets those that another version of the service
  ended before their limit.

  KEYS
    1  journey:expiries
  ARGV
    1  the time in ms, or '' for Redis' own clock
    2  how many at most
    3  prefix of journey:active keys
    4  prefix of journey:track keys
  Returns
    their sessionIds
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: expiries
local expiriesKey, activePrefix, trackPrefix = KEYS[1], ARGV[3], ARGV[4]
local nowMs, limit = now_ms(ARGV[1]), tonumber(ARGV[2])
-- Later it cannot be known any more whether journey:active expired or was deleted.
local LOOK_AHEAD_MS = 10000

local function scheduled(key, from, till, most)
  return redis.call('ZRANGEBYSCORE', key, from, whole(till), 'LIMIT', 0, most)
end

for _, sessionId in ipairs(scheduled(expiriesKey, whole(nowMs + ALMOST_MS), nowMs + LOOK_AHEAD_MS, limit)) do
  if redis.call('EXISTS', activePrefix .. sessionId) == 0 then
    cancel_expiry(expiriesKey, sessionId)
    redis.call('DEL', trackPrefix .. sessionId)
  end
end
local due = scheduled(expiriesKey, '-inf', nowMs, limit)
local old = scheduled(old_expiries_key(expiriesKey), '-inf', nowMs, limit - #due)
for _, sessionId in ipairs(old) do due[#due + 1] = sessionId end
return due
