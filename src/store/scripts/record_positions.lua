--[[
  Takes trainers' positions, or says why not, in the order of the contract: active, owner, duplicate, stale, rate,
  plausible. Tells whoever waits for one, and records that a trainer is near when that is so for the first time. Each
  position is taken as if it came alone.

  KEYS  1 deadlines  2 outbox  and of each position
        1 journey:active  2 journey:ended  3 journey:track  4 the trainer's location  5 the trainer's rate
  ARGV  1 clock override  and of each position
        1 sessionId  2 trainerId  3 latitude  4 longitude
        5 accuracy  6 speed  7 heading  8 sequence: each '' where the phone gave none  9 ageMs
        10 how far the next update is put off by overload, 1 for not at all
  Returns  of each position
           {'recorded', nowMs, next update ms}  {'healed', ...}: the same, over a location that could not be read
           {'duplicate', ms of the first, next update ms}  {'stale', last sequence or ''}  {'rate_limited', ms to wait}
           {'implausible'}  {'forbidden'}  {'corrupt', key}  {'failed', what Redis said}  or what not_active says
]]
-- include: clock
-- include: distance
-- include: track
-- include: cached
-- include: not_active
-- include: outbox
-- include: changes
-- include: approach
-- include: cadence
-- include: each
local deadlinesKey, outboxKey = KEYS[1], KEYS[2]
local nowMs = now_ms(ARGV[1])
-- Once for all positions of a call.
local nowText = iso_time(nowMs)
local KEYS_BEFORE, KEYS_EACH, ARGV_BEFORE, ARGV_EACH = 2, 5, 1, 10
-- How much of each position's accuracy counts for it when two are compared.
local ACCURACY_CAP_METERS = 30

local function is_coarse(meters)
  return meters ~= nil and meters > RULES.coarseAccuracyMeters
end

-- Not what Redis' reader of JSON takes for a number as well: text, NaN, infinity.
local function sane_number(value)
  return type(value) == 'number' and value >= 0 and value < 2 ^ 53 and value or nil
end

-- What of another version's location the next position is judged by: that version knows nothing of journey:track.
local function take_over(location, track)
  local atMs, taken = ms_of_iso(location.timestamp), sane_number(location.sequence)
  local fixMs = sane_number(location.fixMs) or atMs
  if taken and taken > (track.sequence or -1) then track.sequence, track.sequenceAtMs = taken, atMs end
  local isReference = not is_coarse(sane_number(location.accuracy))
  local reference = isReference and location or location.reference
  local isUsable = is_place(reference) and sane_number(isReference and fixMs or reference.fixMs)
  track.referenceFixMs = isUsable or nil
  if isUsable then
    track.latitude, track.longitude = reference.latitude, reference.longitude
    track.accuracy = sane_number(reference.accuracy)
  end
  track.watched, track.stillSeconds, track.nextUpdateMs = nil, nil, nil
  if fixMs then track.fixMs = math.max(track.fixMs or fixMs, fixMs) end
end

-- A journey that another version of the service started has no record and no deadline; from now on it has.
local function adopt_journey(active, activeKey, sessionId, trainerId, track)
  local readable, journey = pcall(cjson.decode, active)
  local leftMs = redis.call('PTTL', activeKey)
  if not readable or type(journey) ~= 'table' or type(journey.studentId) ~= 'string' or leftMs <= 0 then return end
  redis.call('ZADD', deadlinesKey, whole(nowMs + leftMs), sessionId)
  track.trainerId, track.studentId = trainerId, string.lower(journey.studentId)
  track.startedAtMs, track.expiresAtMs = ms_of_iso(journey.startedAt) or nowMs, nowMs + leftMs
  local home = journey.studentHomeLocation
  if is_place(home) then track.homeLatitude, track.homeLongitude = home.latitude, home.longitude end
end

-- Once a journey; a position that may as well be outside is not near.
local function tell_nearby(track, sessionId, distance)
  track.isNearby = true
  record_event(outboxKey, 'TrainerNearby', nowMs, {
    eventId = event_id(sessionId .. whole(track.startedAtMs) .. 'nearby'), trainerId = track.trainerId,
    studentId = track.studentId, sessionId = sessionId, time = iso_time(nowMs),
    distanceMeters = math.floor(distance + 0.5),
  })
end

local function field(name, value)
  return value == '' and '' or ',"' .. name .. '":' .. value
end

local function record_position(position)
  local keysBefore, argvBefore = KEYS_BEFORE + KEYS_EACH * (position - 1), ARGV_BEFORE + ARGV_EACH * (position - 1)
  local activeKey, endedKey, trackKey, locationKey, rateKey = unpack(KEYS, keysBefore + 1, keysBefore + KEYS_EACH)
  local sessionId, trainerId, latitudeText, longitudeText, accuracyText, speedText, headingText, sequenceText, ageText,
    stretch = unpack(ARGV, argvBefore + 1, argvBefore + ARGV_EACH)
  local latitude, longitude, accuracy = tonumber(latitudeText), tonumber(longitudeText), tonumber(accuracyText)
  local speed, sequence, ageMs = tonumber(speedText), tonumber(sequenceText), tonumber(ageText)

  local active = redis.call('GET', activeKey)
  if not active then return not_active(endedKey, trackKey, nowMs) end
  -- The service writes the ids first, so comparing the beginning spares decoding; another writer's order is decoded.
  local idsJson = '"sessionId":"' .. sessionId .. '","trainerId":"' .. trainerId .. '"'
  if string.sub(active, 2, #idsJson + 1) ~= idsJson then
    local readable, journey = pcall(cjson.decode, active)
    if not readable or type(journey) ~= 'table' or type(journey.trainerId) ~= 'string' then
      return { 'corrupt', activeKey }
    end
    if string.lower(journey.trainerId) ~= trainerId then return { 'forbidden' } end
  end

  local stored = redis.call('MGET', trackKey, rateKey)
  local track = parse_track(stored[1]) or {}
  local isTracked = track.trainerId ~= nil
  local storedLocation, isHealed = redis.pcall('GET', locationKey), false
  local isOwn = track.fixMs and type(storedLocation) == 'string'
    and string.find(storedLocation, '"fixMs":' .. whole(track.fixMs) .. ',', 1, true)
  if storedLocation and not isOwn then
    local readable, location = pcall(cjson.decode, storedLocation)
    -- One that cannot be read, whatever it is, is written over by the next that is taken.
    if readable and is_place(location) then take_over(location, track) else isHealed = true end
  end

  if sequence and track.sequence then
    if sequence == track.sequence then
      return { 'duplicate', track.sequenceAtMs or nowMs, track.nextUpdateMs or RULES.updateIntervalMs }
    end
    if sequence < track.sequence then return { 'stale', whole(track.sequence) } end
  end
  local fixMs = nowMs - ageMs
  if ageMs > RULES.oldestFixMs or (track.fixMs and fixMs < track.fixMs) then
    return { 'stale', track.sequence and whole(track.sequence) or '' }
  end

  -- GCRA (ITU-T I.371): the rate key holds the theoretical arrival time of the next update.
  local arrivalMs = tonumber(stored[2]) or nowMs
  -- Further ahead than this script ever writes: not its value.
  if not (arrivalMs <= nowMs + RULES.updateIntervalMs + RULES.updateToleranceMs) then arrivalMs = nowMs end
  if nowMs < arrivalMs - RULES.updateToleranceMs then
    return { 'rate_limited', arrivalMs - RULES.updateToleranceMs - nowMs }
  end
  arrivalMs = math.max(nowMs, arrivalMs) + RULES.updateIntervalMs
  redis.call('SET', rateKey, whole(arrivalMs), 'PX', whole(arrivalMs - nowMs))

  -- A coarse position is no measure for another; the last good one stays that.
  local isCoarse = is_coarse(accuracy)
  local gone, elapsed
  if track.referenceFixMs and not isCoarse then
    gone = distance_meters(track.latitude, track.longitude, latitude, longitude)
    elapsed = (fixMs - track.referenceFixMs) / 1000
    local apart = gone - math.min(track.accuracy or 0, ACCURACY_CAP_METERS)
      - math.min(accuracy or 0, ACCURACY_CAP_METERS)
    -- metres per second * 3.6 = km/h; multiplied out, so that no time between the two divides by zero.
    if apart > 0 and apart * 3.6 > RULES.maxSpeedKmh * elapsed then return { 'implausible' } end
  end
  if not isTracked then adopt_journey(active, activeKey, sessionId, trainerId, track) end

  local distance = track.homeLatitude
    and distance_meters(latitude, longitude, track.homeLatitude, track.homeLongitude)
  local stillSeconds = still_seconds(track.stillSeconds, gone, elapsed, speed)
  -- A first position, or a coarse one, may be a wild one: it is no reason to wait longer for the next.
  local nextUpdateMs = next_update_ms(gone and distance, speed, stillSeconds, tonumber(stretch))
  local kept = stillSeconds > 0 and string.format(',"stillSeconds":%.1f', stillSeconds) or ''
  if not isCoarse then
    if distance and gone then
      local closed = distance_meters(track.latitude, track.longitude, track.homeLatitude, track.homeLongitude)
        - distance
      watch_approach(track, closed, stillSeconds > 0 and 0 or gone, elapsed)
    end
    track.latitude, track.longitude, track.accuracy, track.referenceFixMs = latitude, longitude, accuracy, fixMs
  elseif track.referenceFixMs then
    kept = kept .. ',"reference":' .. cjson.encode({ latitude = track.latitude, longitude = track.longitude,
      accuracy = track.accuracy, fixMs = track.referenceFixMs })
  end
  if track.watched then kept = kept .. ',"approach":' .. approach_json(track) end

  local location = '{"latitude":' .. latitudeText .. ',"longitude":' .. longitudeText
    .. field('accuracy', accuracyText) .. field('speed', speedText) .. field('heading', headingText)
    .. field('sequence', sequenceText) .. ',"timestamp":"' .. nowText .. '","fixMs":' .. whole(fixMs)
    .. ',"nextUpdateMs":' .. nextUpdateMs .. ',' .. idsJson .. kept .. '}'
  redis.call('SET', locationKey, location, 'EX', RULES.locationTtlSeconds)
  if distance and not track.isNearby and not isCoarse
    and distance + (accuracy or 0) <= RULES.nearbyRadiusMeters then
    tell_nearby(track, sessionId, distance)
  end

  track.fixMs, track.stillSeconds, track.nextUpdateMs = fixMs, stillSeconds, nextUpdateMs
  if sequence then track.sequence, track.sequenceAtMs = sequence, nowMs end
  if isTracked then
    redis.call('SET', trackKey, format_track(track), 'KEEPTTL')
  elseif track.trainerId then
    redis.call('SET', trackKey, format_track(track), 'PX',
      whole(track.expiresAtMs - nowMs + TRACK_OUTLIVES_SECONDS * 1000))
  end
  tell_watchers(sessionId, location)
  return { isHealed and 'healed' or 'recorded', nowMs, nextUpdateMs }
end

return each((#KEYS - KEYS_BEFORE) / KEYS_EACH, record_position)
