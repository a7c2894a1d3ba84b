--[[
  Records trainers' positions and heartbeats, or refuses them in the order of the contract, each as if it came alone.

  KEYS
    1  journey:expiries
    2  journey:outbox
    and for each position
    1  journey:active
    2  journey:ended
    3  journey:track
    4  the trainer's location
    5  the trainer's rate
  ARGV
    1  the time in ms, or '' for Redis' own clock
    and for each position
    1  sessionId
    2  trainerId
    3  latitude, or '' for a heartbeat
    4  longitude, or '' for a heartbeat
    5  accuracy, or ''
    6  speed, or ''
    7  heading, or ''
    8  sequence, or ''
    9  ageMs
    10 stretch: the factor by which overload lengthens the interval, 1 for none
    11 '' for a position, or the heartbeat: 'still' or the phone's problem
  Returns for each position
    {'recorded', nowMs, nextUpdateMs}
    {'healed', nowMs, nextUpdateMs}      recorded over a location that could not be read
    {'reanchored', nowMs, nextUpdateMs}  recorded against the last reference
    {'heartbeat', nowMs, nextUpdateMs}
    {'duplicate', recordedAtMs, nextUpdateMs}
    {'stale', lastSequence or ''}
    {'rate_limited', retryAfterMs}
    {'implausible'}
    {'location_unknown'}  a still heartbeat without a position
    {'forbidden'}
    {'corrupt', key}
    {'failed', error}
    or what not_active returns
]]
-- include: clock
-- include: distance
-- include: old_track
-- include: cached
-- include: track
-- include: schedule_expiry
-- include: not_active
-- include: outbox
-- include: changes
-- include: approach
-- include: cadence
-- include: trainer_of
-- include: check_owner
-- include: load_track
-- include: arrivals
-- include: check_sequence
-- include: check_rate
-- include: timeline
-- include: judge
-- include: count_refusal
-- include: adopt_journey
-- include: move_track
-- include: report_nearby
-- include: store_location
-- include: seen_ms
-- include: heartbeat
-- include: each
local KEYS_SHARED, KEYS_EACH, ARGV_SHARED, ARGV_EACH = 2, 5, 1, 11
local nowMs = now_ms(ARGV[1])
local nowText = iso_time(nowMs)

local function keys_of(position)
  local first = KEYS_SHARED + KEYS_EACH * (position - 1)
  return { expiries = KEYS[1], outbox = KEYS[2], active = KEYS[first + 1], ended = KEYS[first + 2],
    track = KEYS[first + 3], location = KEYS[first + 4], rate = KEYS[first + 5] }
end

-- Numbers go into the location as the phone sent them, so their texts stay beside them.
local function update_of(position)
  local first = ARGV_SHARED + ARGV_EACH * (position - 1)
  local sessionId, trainerId, latitude, longitude, accuracy, speed, heading, sequence, ageMs, stretch, beat =
    unpack(ARGV, first + 1, first + ARGV_EACH)
  return {
    sessionId = sessionId, trainerId = trainerId, latitudeText = latitude, longitudeText = longitude,
    accuracyText = accuracy, speedText = speed, headingText = heading, sequenceText = sequence,
    lat = tonumber(latitude), lon = tonumber(longitude), acc = tonumber(accuracy), refMs = nowMs - ageMs,
    speed = tonumber(speed), sequence = tonumber(sequence), ageMs = tonumber(ageMs), stretch = tonumber(stretch),
    beat = beat ~= '' and beat or nil, nowMs = nowMs, nowText = nowText, isCoarse = is_coarse(tonumber(accuracy)),
  }
end

-- seenMs: see seen_ms, before the update.
local function save_track(keys, track, isTracked, seenMs)
  local wasStale = seenMs and nowMs - seenMs > RULES.staleAfterMs
  if wasStale and nowMs - seen_ms(track) <= RULES.staleAfterMs then
    pcall(note, keys.track, track, nowMs, 'recovered', nil, seenMs + RULES.staleAfterMs)
  end
  if isTracked then update_track(keys.track, track)
  elseif track.trainerId then create_track(keys.track, track, nowMs) end
end

local function record_position(position)
  local keys, update = keys_of(position), update_of(position)
  local active = redis.call('GET', keys.active)
  if not active then return not_active(keys.ended, keys.track, nowMs) end
  local refusal = check_owner(active, keys, update)
  if refusal then return refusal end

  local track, stored, isHealed = load_track(keys, active, update)
  refusal = check_duplicate(track, update, stored)
  if refusal then return count_refusal(keys, track, update, refusal) end
  local shiftMs = follow_clock(track, update)
  local isStill = update.beat == 'still'
  local location = isStill and stored and not isHealed and cjson.decode(stored)
  refusal = check_stale(track, update) or isStill and not location and { 'location_unknown' }
    or check_rate(keys.rate, nowMs, shiftMs)
  if refusal then return count_refusal(keys, track, update, refusal) end

  local isTracked, seenMs = track.trainerId ~= nil, seen_ms(track)
  if not isTracked then adopt_journey(active, keys, track, update) end
  note_lateness(track, update)
  if update.beat then
    note_arrival(track, update)
    if isStill then record_still(keys, track, update, location)
    else record_problem(keys, track, update, not isHealed and stored) end
    save_track(keys, track, isTracked, seenMs)
    return { 'heartbeat', nowMs, track.next }
  end
  local verdict, gone, elapsed = judge(track, update)
  if verdict == 'implausible' then
    track.at = nowMs
    save_track(keys, track, isTracked, seenMs)
    return count_refusal(keys, track, update, { verdict })
  end
  if verdict == 'reanchored' then pcall(note, keys.track, track, nowMs, verdict) end
  local distance = distance_home(track, update)
  move_track(track, update, distance, gone, elapsed)
  local json = store_location(keys, track, update)
  report_nearby(keys, track, update, distance)
  save_track(keys, track, isTracked, seenMs)
  notify_watchers(update.sessionId, json)
  return { isHealed and 'healed' or verdict, nowMs, track.next }
end

return each((#KEYS - KEYS_SHARED) / KEYS_EACH, record_position)
