--[[
  Ends a journey because the trainer arrived or somebody cancelled it; of concurrent calls exactly one wins.

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
    3  the trainer's id, or '' for an admin
    4  'arrived' or 'cancelled'
    5  seed of the event id
    6  prefix of location keys
    7  '1' with an Idempotency-Key, or ''
  Returns
    {'ended_now', endedAtMs, distance in whole metres or -1}
    {'replayed', JSON of the first answer}
    {'forbidden'}
    {'location_unknown'}
    {'no_home'}
    {'too_far', distance in whole metres}
    {'corrupt', key}
    or what not_active returns
]]
-- include: clock
-- include: distance
-- include: old_track
-- include: cached
-- include: track
-- include: expiries
-- include: idempotency
-- include: not_active
-- include: outbox
-- include: changes
-- include: timeline
-- include: seen_ms
-- include: track_summary
-- include: close_timeline
-- include: close_journey
-- include: judge
-- include: check_arrival
local keys = { active = KEYS[1], ended = KEYS[2], track = KEYS[3], meta = KEYS[4], expiries = KEYS[5],
  outbox = KEYS[6], firstAnswer = ARGV[7] == '1' and KEYS[7], locationPrefix = ARGV[6] }
local nowMs, sessionId, callerId, reason, eventSeed = now_ms(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- Returns the journey, or nil and a refusal.
local function load_journey()
  local active = redis.call('GET', keys.active)
  if not active then return nil, not_active(keys.ended, keys.track, nowMs) end
  local readable, journey = pcall(cjson.decode, active)
  if not readable or type(journey) ~= 'table' or type(journey.trainerId) ~= 'string'
    or type(journey.studentId) ~= 'string' then
    return nil, { 'corrupt', keys.active }
  end
  journey.sessionId, journey.trainerId = sessionId, string.lower(journey.trainerId)
  if callerId ~= '' and callerId ~= journey.trainerId then return nil, { 'forbidden' } end
  return journey
end

local first = first_answer(keys.firstAnswer)
if first then return { 'replayed', first } end
local journey, refusal = load_journey()
if refusal then return refusal end
local distance = -1
if reason == 'arrived' then
  distance, refusal = check_arrival(keys, journey, nowMs)
  if refusal then return refusal end
end
local role = callerId == '' and 'admin' or 'trainer'
close_journey(keys, journey, reason, nowMs, RULES.endedTtlSeconds * 1000, eventSeed, role)
remember_answer(keys.firstAnswer, { endedAt = iso_time(nowMs), distance = distance })
return { 'ended_now', nowMs, distance }
