--[[
  Starts a journey: of any number of simultaneous calls exactly one wins.

  KEYS  1 journey:active  2 journey:ended  3 journey:track  4 session:meta  5 deadlines  6 outbox
        7 the idempotency record, or the same as 1 where the call has none
  ARGV  1 clock override  2 sessionId  3 trainerId  4 studentId
        5 head and 6 tail of journey:active's JSON (the times go between)  7 session:meta's JSON
        8 and 9 latitude and longitude of the home, or ''  10 seed of the event ids  11 location key prefix
        12 '1' where there is an idempotency record
  Returns  {'started', startedAtMs, expiresAtMs, trainerId, studentId}
           {'replayed', json of the first answer}
           {'already_active', journey:active's JSON}
]]
-- include: clock
-- include: track
-- include: cached
-- include: outbox
-- include: changes
-- include: close_journey
local activeKey, endedKey, trackKey, metaKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlinesKey, outboxKey, idempotencyKey = KEYS[5], KEYS[6], KEYS[7]
local sessionId, trainerId, studentId = ARGV[2], ARGV[3], ARGV[4]
local activeHead, activeTail, meta = ARGV[5], ARGV[6], ARGV[7]
local homeLatitude, homeLongitude = tonumber(ARGV[8]), tonumber(ARGV[9])
local eventSeed, locationPrefix, isIdempotent = ARGV[10], ARGV[11], ARGV[12] == '1'

if isIdempotent then
  local first = redis.call('GET', idempotencyKey)
  if first then return { 'replayed', first } end
end

local nowMs = now_ms(ARGV[1])
local overdue = redis.call('EXISTS', activeKey, endedKey) == 0 and parse_track(cached(trackKey))
if overdue then
  -- The journey before ran into its limit and nobody has swept it up yet.
  local keys = { active = activeKey, ended = endedKey, track = trackKey, meta = metaKey, deadlines = deadlinesKey,
    outbox = outboxKey, locationPrefix = locationPrefix }
  overdue.sessionId = sessionId
  overdue.startedAt = iso_time(overdue.startedAtMs)
  close_journey(keys, overdue, 'timeout', math.min(nowMs, overdue.expiresAtMs), 0, eventSeed .. 'overdue')
end

local expiresAtMs = nowMs + RULES.journeyTtlSeconds * 1000
local active = activeHead .. '"startedAt":"' .. iso_time(nowMs) .. '","expiresAt":"' .. iso_time(expiresAtMs)
  .. '",' .. activeTail
if not redis.call('SET', activeKey, active, 'NX', 'EX', RULES.journeyTtlSeconds) then
  return { 'already_active', redis.call('GET', activeKey) }
end

-- Nothing of an earlier journey's stays, whoever ended it.
redis.call('DEL', endedKey, locationPrefix .. trainerId .. ':session:' .. sessionId)
redis.call('SET', metaKey, meta, 'EX', RULES.journeyTtlSeconds)
redis.call('SET', trackKey, format_track({ trainerId = trainerId, studentId = studentId, startedAtMs = nowMs,
  expiresAtMs = expiresAtMs, homeLatitude = homeLatitude, homeLongitude = homeLongitude }), 'EX', RULES.journeyTtlSeconds + TRACK_OUTLIVES_SECONDS)
redis.call('ZADD', deadlinesKey, whole(expiresAtMs), sessionId)
record_event(outboxKey, 'TrainerJourneyStarted', nowMs, {
  eventId = event_id(eventSeed), trainerId = trainerId, studentId = studentId, sessionId = sessionId,
  startTime = iso_time(nowMs),
})
if isIdempotent then
  redis.call('SET', idempotencyKey, cjson.encode({
    trainerId = trainerId, studentId = studentId, startedAt = iso_time(nowMs), expiresAt = iso_time(expiresAtMs),
  }), 'EX', RULES.journeyTtlSeconds + RULES.endedTtlSeconds)
end
tell_watchers(sessionId, 'started')
return { 'started', nowMs, expiresAtMs, trainerId, studentId }
