-- A task may sweep up late (all of them down, say); by then the record must still be there.
local TRACK_OUTLIVES_SECONDS = 86400

-- journey:track:<sessionId> is the service's own record of a journey. It outlives journey:active, so that a journey
-- that ran into its limit can still be told and ended, and the location, so that the last sequence is not forgotten.
-- It holds what the next position is judged by, in binary: every update reads and writes it, and decoding the location's
-- JSON for it took a quarter of the script's time. Another layout takes another version; a record of a version that is
-- not known counts as none.
local TRACK_VERSION = 2
local TRACK_LAYOUT = '>BBddddddddddfffffffc36c36'
local TRACK_BYTES = struct.size(TRACK_LAYOUT)
-- Where there is none: a latitude, and a time, a number or a length that cannot be.
local NOWHERE, NONE = 999, -1

-- trainerId, studentId, startedAtMs, expiresAtMs; isNearby; homeLatitude, homeLongitude; sequence, sequenceAtMs; fixMs of
-- the last position; latitude, longitude, referenceFixMs, accuracy of the last one that is not coarse; closing, pace,
-- unsteadiness, watched (see approach.lua); stillSeconds, nextUpdateMs (see cadence.lua). What there is not is nil.
local function parse_track(record)
  if not record or #record ~= TRACK_BYTES or string.byte(record) ~= TRACK_VERSION then return nil end
  local _, nearby, startedAtMs, expiresAtMs, homeLatitude, homeLongitude, sequence, sequenceAtMs, fixMs, latitude,
    longitude, referenceFixMs, accuracy, closing, pace, unsteadiness, watched, stillSeconds, nextUpdateMs, trainerId,
    studentId = struct.unpack(TRACK_LAYOUT, record)
  return {
    trainerId = trainerId, studentId = studentId, startedAtMs = startedAtMs, expiresAtMs = expiresAtMs,
    isNearby = nearby == 1,
    homeLatitude = homeLatitude ~= NOWHERE and homeLatitude or nil, homeLongitude = homeLongitude,
    sequence = sequence ~= NONE and sequence or nil,
    sequenceAtMs = sequenceAtMs ~= NONE and sequenceAtMs or nil,
    fixMs = fixMs ~= NONE and fixMs or nil,
    latitude = latitude, longitude = longitude,
    referenceFixMs = referenceFixMs ~= NONE and referenceFixMs or nil,
    accuracy = accuracy ~= NONE and accuracy or nil,
    closing = closing, pace = pace, unsteadiness = unsteadiness, watched = watched ~= NONE and watched or nil,
    stillSeconds = stillSeconds, nextUpdateMs = nextUpdateMs ~= NONE and nextUpdateMs or nil,
  }
end

local function format_track(track)
  return struct.pack(TRACK_LAYOUT, TRACK_VERSION, track.isNearby and 1 or 0, track.startedAtMs, track.expiresAtMs,
    track.homeLatitude or NOWHERE, track.homeLongitude or 0, track.sequence or NONE, track.sequenceAtMs or NONE,
    track.fixMs or NONE, track.latitude or 0, track.longitude or 0, track.referenceFixMs or NONE,
    track.accuracy or NONE, track.closing or 0, track.pace or 0, track.unsteadiness or 0, track.watched or NONE,
    track.stillSeconds or 0, track.nextUpdateMs or NONE, track.trainerId, track.studentId)
end

-- When the journey of journey:active's JSON started, or nil.
local function started_at_ms(active)
  local readable, journey = pcall(cjson.decode, active or '')
  return readable and type(journey) == 'table' and ms_of_iso(journey.startedAt) or nil
end
