--[[
  Starts a journey; of concurrent calls exactly one wins.

  KEYS
    1  journey:active
    2  journey:ended
    3  journey:track
    4  session:meta
    5  journey:expiries
    6  journey:outbox
    7  the first answer to this Idempotency-Key, or the same as 1 without one
  ARGV
    1  the time in ms, or '' for Redis' own clock
    2  sessionId
    3  trainerId
    4  studentId
    5  journey:active's JSON up to its times
    6  journey:active's JSON after its times
    7  session:meta's JSON
    8  the home's latitude, or ''
    9  the home's longitude, or ''
    10 seed of the event ids
    11 prefix of location keys
    12 '1' with an Idempotency-Key, or ''
  Returns
    {'started', startedAtMs, expiresAtMs, trainerId, studentId}
    {'replayed', JSON of the first answer}
    {'already_active', journey:active's JSON, last sequence or ''}
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: last_sequence
-- include: schedule_expiry
-- include: expiries
-- include: idempotency
-- include: outbox
-- include: changes
-- include: timeline
-- include: seen_ms
-- include: track_summary
-- include: close_timeline
-- include: close_journey
local keys = { active = KEYS[1], ended = KEYS[2], track = KEYS[3], meta = KEYS[4], expiries = KEYS[5],
  outbox = KEYS[6], firstAnswer = ARGV[12] == '1' and KEYS[7], locationPrefix = ARGV[11] }
local nowMs, sessionId, trainerId, studentId = now_ms(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local activeHead, activeTail, meta = ARGV[5], ARGV[6], ARGV[7]
local homeLatitude, homeLongitude, eventSeed = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local expiresAtMs = nowMs + RULES.journeyTtlSeconds * 1000
local startedAt, expiresAt = iso_time(nowMs), iso_time(expiresAtMs)

-- The journey before reached its limit, and no sweeper has ended it yet. Before its limit, another version ended it.
local function close_overdue()
  local track = redis.call('EXISTS', keys.active) == 0 and parse_track(cached(keys.track))
  if not track or track.endMs > nowMs + ALMOST_MS or is_marked_ended(keys.ended, track) then return end
  close_journey(keys, journey_of(track, sessionId), 'timeout', math.min(nowMs, track.endMs), 0,
    eventSeed .. 'overdue')
end

local function write_journey()
  -- No location of an earlier journey may remain.
  redis.call('DEL', keys.ended, keys.locationPrefix .. trainerId .. ':session:' .. sessionId)
  redis.call('SET', keys.meta, meta, 'EX', RULES.journeyTtlSeconds)
  create_track(keys.track, { trainerId = trainerId, studentId = studentId, startMs = nowMs,
    endMs = expiresAtMs, homeLat = homeLatitude, homeLon = homeLongitude }, nowMs)
  schedule_expiry(keys.expiries, sessionId, expiresAtMs)
  record_event(keys.outbox, 'TrainerJourneyStarted', nowMs, {
    eventId = event_id(eventSeed), trainerId = trainerId, studentId = studentId, sessionId = sessionId,
    startTime = startedAt,
  })
end

local first = first_answer(keys.firstAnswer)
if first then return { 'replayed', first } end
close_overdue()
local active = activeHead .. '"startedAt":"' .. startedAt .. '","expiresAt":"' .. expiresAt .. '",' .. activeTail
if not redis.call('SET', keys.active, active, 'NX', 'EX', RULES.journeyTtlSeconds) then
  local current = redis.call('GET', keys.active)
  return { 'already_active', current, last_sequence(keys.track, current) }
end
write_journey()
remember_answer(keys.firstAnswer, { trainerId = trainerId, studentId = studentId, startedAt = startedAt,
  expiresAt = expiresAt })
notify_watchers(sessionId, 'started')
return { 'started', nowMs, expiresAtMs, trainerId, studentId }
