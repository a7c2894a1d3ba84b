--[[
  Ends a journey that ran into its limit, once, whichever process comes first.

  KEYS  1 journey:active  2 journey:ended  3 journey:track  4 session:meta  5 deadlines  6 outbox
  ARGV  1 clock override  2 sessionId  3 seed of the event id  4 location key prefix
  Returns  {'expired'}  {'not_due'}  {'untracked'}: a deadline without a readable record, which goes
           {'superseded'}: another version of the service has ended the journey, which knows nothing of deadlines
]]
-- include: clock
-- include: track
-- include: cached
-- include: outbox
-- include: changes
-- include: close_journey
local keys = { active = KEYS[1], ended = KEYS[2], track = KEYS[3], meta = KEYS[4], deadlines = KEYS[5],
  outbox = KEYS[6], locationPrefix = ARGV[4] }
local sessionId, eventSeed = ARGV[2], ARGV[3]

local nowMs = now_ms(ARGV[1])
local dueMs = tonumber(redis.call('ZSCORE', keys.deadlines, sessionId))
if not dueMs or dueMs > nowMs then return { 'not_due' } end
local journey = parse_track(cached(keys.track))
local activeSinceMs = started_at_ms(cached(keys.active))
local isAnothers = journey and activeSinceMs and activeSinceMs ~= journey.startedAtMs
if not journey or isAnothers or redis.call('EXISTS', keys.ended) == 1 then
  redis.call('ZREM', keys.deadlines, sessionId)
  redis.call('DEL', keys.track)
  return { journey and 'superseded' or 'untracked' }
end
journey.sessionId = sessionId
journey.startedAt = iso_time(journey.startedAtMs)
close_journey(keys, journey, 'timeout', dueMs, RULES.endedTtlSeconds * 1000 - (nowMs - dueMs), eventSeed)
return { 'expired' }
