--[[
  Ends a journey because the trainer arrived or somebody cancelled it; of simultaneous calls exactly one wins.

  KEYS  1 journey:active  2 journey:ended  3 journey:track  4 session:meta  5 deadlines  6 outbox
        7 the idempotency record, or the same as 1 where the call has none
  ARGV  1 clock override  2 sessionId  3 the caller's id, or '' for an admin  4 'arrived' or 'cancelled'
        5 seed of the event id  6 location key prefix  7 '1' where there is an idempotency record
  Returns  {'ended_now', endedAtMs, distance in whole metres or -1}  {'replayed', json of the first answer}
           {'forbidden'}  {'location_unknown'}  {'no_home'}  {'too_far', distance in whole metres}  {'corrupt', key}
           or what not_active says
]]
-- include: clock
-- include: distance
-- include: track
-- include: cached
-- include: not_active
-- include: outbox
-- include: changes
-- include: close_journey
local keys = { active = KEYS[1], ended = KEYS[2], track = KEYS[3], meta = KEYS[4], deadlines = KEYS[5],
  outbox = KEYS[6], locationPrefix = ARGV[6] }
local idempotencyKey = KEYS[7]
local sessionId, callerId, reason = ARGV[2], ARGV[3], ARGV[4]
local eventSeed, isIdempotent = ARGV[5], ARGV[7] == '1'

if isIdempotent then
  local first = redis.call('GET', idempotencyKey)
  if first then return { 'replayed', first } end
end

local nowMs = now_ms(ARGV[1])
local active = redis.call('GET', keys.active)
if not active then return not_active(keys.ended, keys.track, nowMs) end
local readable, journey = pcall(cjson.decode, active)
if not readable or type(journey) ~= 'table' or type(journey.trainerId) ~= 'string'
  or type(journey.studentId) ~= 'string' then
  return { 'corrupt', keys.active }
end
journey.sessionId = sessionId
journey.trainerId = string.lower(journey.trainerId)
if callerId ~= '' and callerId ~= journey.trainerId then return { 'forbidden' } end

-- The distance home in metres, or a refusal.
local function distance_home()
  local home = journey.studentHomeLocation
  if home == nil then
    -- A journey that another version wrote has it in the session's metadata alone.
    local readable, meta = pcall(cjson.decode, cached(keys.meta) or '')
    home = readable and type(meta) == 'table' and meta.studentHomeLocation
  end
  if not is_place(home) then return nil, { 'no_home' } end
  local locationKey = keys.locationPrefix .. journey.trainerId .. ':session:' .. sessionId
  local stored = redis.call('GET', locationKey)
  if not stored then return nil, { 'location_unknown' } end
  local known, location = pcall(cjson.decode, stored)
  if not known or not is_place(location) then return nil, { 'corrupt', locationKey } end
  if (tonumber(location.accuracy) or 0) > RULES.coarseAccuracyMeters then return nil, { 'location_unknown' } end
  return distance_meters(location.latitude, location.longitude, home.latitude, home.longitude)
end

local distance = -1
if reason == 'arrived' then
  local meters, refusal = distance_home()
  if refusal then return refusal end
  distance = math.floor(meters + 0.5)
  if meters > RULES.arrivalRadiusMeters then return { 'too_far', distance } end
end

close_journey(keys, journey, reason, nowMs, RULES.endedTtlSeconds * 1000, eventSeed)
if isIdempotent then
  redis.call('SET', idempotencyKey, cjson.encode({ endedAt = iso_time(nowMs), distance = distance }),
    'EX', RULES.journeyTtlSeconds + RULES.endedTtlSeconds)
end
return { 'ended_now', nowMs, distance }
