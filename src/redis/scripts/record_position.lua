--[[
  Takes a trainer's position, or says why not, in the order of the contract: active, owner, duplicate, stale, rate,
  plausible.

  KEYS  1 journey:active  2 journey:ended  3 journey:track  4 the trainer's location  5 the trainer's rate
        6 deadlines
  ARGV  1 clock override  2 how journey:active's JSON begins when this trainer owns it  3 trainerId
        4 sequence or ''  5 ageMs  6 latitude  7 longitude  8 accuracy or ''
        9 the position's JSON without braces  10 the ids' JSON without braces
        11 location TTL (s)  12 interval (ms)  13 tolerance (ms)  14 km/h at most  15 coarse from (m)  16 oldest fix (ms)
        17 sessionId
  Returns  {'recorded', nowMs}  {'healed', nowMs}: recorded over a location that could not be read
           {'duplicate', ms of the first}  {'stale', last sequence or ''}  {'rate_limited', ms to wait}
           {'implausible'}  {'forbidden'}  {'corrupt', key}  or what not_active says
]]
-- include: clock
-- include: distance
-- include: track
-- include: cached
-- include: not_active
local activeKey, endedKey, trackKey, locationKey, rateKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local deadlinesKey = KEYS[6]
local ownedHead, trainerId, sequence, ageMs = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local latitude, longitude = tonumber(ARGV[6]), tonumber(ARGV[7])
local accuracy = tonumber(ARGV[8])
local positionJson, idsJson, sessionId = ARGV[9], ARGV[10], ARGV[17]
local locationTtlSeconds, intervalMs, toleranceMs = ARGV[11], tonumber(ARGV[12]), tonumber(ARGV[13])
local maxSpeedKmh, coarseMeters, oldestFixMs = tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])
-- How much of each position's accuracy counts for it when two are compared.
local ACCURACY_CAP_METERS = 30

local nowMs = now_ms(ARGV[1])
local active = redis.call('GET', activeKey)
if not active then return not_active(endedKey, trackKey, nowMs) end

-- The service writes the ids first, so comparing the beginning spares decoding; another writer's order is decoded.
if string.sub(active, 1, #ownedHead) ~= ownedHead then
  local readable, journey = pcall(cjson.decode, active)
  if not readable or type(journey) ~= 'table' or type(journey.trainerId) ~= 'string' then
    return { 'corrupt', activeKey }
  end
  if string.lower(journey.trainerId) ~= trainerId then return { 'forbidden' } end
end

local stored = redis.call('MGET', trackKey, rateKey)
local track = parse_track(stored[1])
-- A location that cannot be read, whatever it is, is written over by the next one that is taken.
local last, healed = nil, false
local storedLocation = redis.pcall('GET', locationKey)
if storedLocation then
  local readable, location = pcall(cjson.decode, storedLocation)
  if readable and is_place(location) then
    last = location
    last.fixMs = tonumber(location.fixMs) or ms_of_iso(location.timestamp)
    last.accuracy = tonumber(location.accuracy)
  else
    healed = true
  end
end

local lastSequence, lastSequenceAtMs, lastFixMs
if track then lastSequence, lastSequenceAtMs, lastFixMs = track.sequence, track.sequenceAtMs, track.fixMs end
if last then
  -- Another version of the service may have taken a position and know nothing of journey:track.
  local known = tonumber(last.sequence)
  if known and known > (tonumber(lastSequence) or -1) then
    lastSequence, lastSequenceAtMs = whole(known), ms_of_iso(last.timestamp)
  end
  if last.fixMs then lastFixMs = math.max(lastFixMs or last.fixMs, last.fixMs) end
end

if sequence ~= '' and lastSequence then
  if sequence == lastSequence then return { 'duplicate', lastSequenceAtMs or nowMs } end
  if tonumber(sequence) < tonumber(lastSequence) then return { 'stale', lastSequence } end
end
local fixMs = nowMs - ageMs
if ageMs > oldestFixMs or (lastFixMs and fixMs < lastFixMs) then return { 'stale', lastSequence or '' } end

-- GCRA (ITU-T I.371): the rate key holds the theoretical arrival time of the next update.
local arrivalMs = tonumber(stored[2]) or nowMs
-- Further ahead than this script ever writes: not its value.
if not (arrivalMs <= nowMs + intervalMs + toleranceMs) then arrivalMs = nowMs end
if nowMs < arrivalMs - toleranceMs then return { 'rate_limited', arrivalMs - toleranceMs - nowMs } end
arrivalMs = math.max(nowMs, arrivalMs) + intervalMs
redis.call('SET', rateKey, whole(arrivalMs), 'PX', whole(arrivalMs - nowMs))

-- A journey that another version of the service started has no record and no deadline; from now on it has.
local function adopt_journey()
  local readable, journey = pcall(cjson.decode, active)
  local leftMs = redis.call('PTTL', activeKey)
  if not readable or type(journey) ~= 'table' or type(journey.studentId) ~= 'string' or leftMs <= 0 then return end
  local identity = identity_of(trainerId, string.lower(journey.studentId), ms_of_iso(journey.startedAt) or nowMs,
    nowMs + leftMs)
  redis.call('SET', trackKey, format_track(lastSequence, lastSequenceAtMs, fixMs, identity),
    'PX', whole(leftMs + TRACK_OUTLIVES_SECONDS * 1000))
  redis.call('ZADD', deadlinesKey, whole(nowMs + leftMs), sessionId)
end

local function is_coarse(meters)
  return meters ~= nil and meters > coarseMeters
end

-- A coarse position is no measure for another, so the last good one goes with it until the next good one.
local reference = last
if last and is_coarse(last.accuracy) then
  reference = type(last.reference) == 'table' and last.reference or nil
end
local comparable = reference and is_place(reference) and tonumber(reference.fixMs)
if comparable and not is_coarse(accuracy) then
  local apart = distance_meters(reference.latitude, reference.longitude, latitude, longitude)
    - math.min(tonumber(reference.accuracy) or 0, ACCURACY_CAP_METERS) - math.min(accuracy or 0, ACCURACY_CAP_METERS)
  -- metres per millisecond * 3600 = km/h; multiplied out, so that no time between the two divides by zero.
  if apart > 0 and apart * 3600 > maxSpeedKmh * (fixMs - reference.fixMs) then return { 'implausible' } end
end

local kept = ''
if is_coarse(accuracy) and comparable then
  kept = ',"reference":' .. cjson.encode({ latitude = reference.latitude, longitude = reference.longitude,
    accuracy = reference.accuracy, fixMs = reference.fixMs })
end
redis.call('SET', locationKey, '{' .. positionJson .. ',"timestamp":"' .. iso_time(nowMs) .. '","fixMs":'
  .. whole(fixMs) .. ',' .. idsJson .. kept .. '}', 'EX', locationTtlSeconds)
if sequence ~= '' then lastSequence, lastSequenceAtMs = sequence, nowMs end
if track then
  redis.call('SET', trackKey, format_track(lastSequence, lastSequenceAtMs, fixMs, track.identity), 'KEEPTTL')
else
  adopt_journey()
end
return { healed and 'healed' or 'recorded', nowMs }
