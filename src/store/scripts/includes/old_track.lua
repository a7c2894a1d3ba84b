-- For the deployment of named track fields alone: delete this file and what calls it one JOURNEY_TTL_SECONDS later.
-- The version before wrote journey:track in binary with fixed positions, and expiries to journey:deadlines. Its sweeper
-- deletes a record that it cannot read, without an event, so named records must never have an entry in that set.
local OLD_LAYOUT = '>BBddddddddddfffffffc36c36'

local function old_expiries_key(expiriesKey)
  return (string.gsub(expiriesKey, 'expiries$', 'deadlines'))
end

local function is_old_track(record)
  return record and string.byte(record) == 2 and #record == struct.size(OLD_LAYOUT)
end

local function known(number)
  return number ~= -1 and number or nil
end

local function parse_old_track(record)
  local _, nearby, startedAtMs, expiresAtMs, homeLatitude, homeLongitude, sequence, sequenceAtMs, fixMs, latitude,
    longitude, referenceFixMs, accuracy, closing, pace, unsteadiness, watched, stillSeconds, nextUpdateMs, trainerId,
    studentId = struct.unpack(OLD_LAYOUT, record)
  return {
    trainerId = trainerId, studentId = studentId, startedAtMs = startedAtMs, expiresAtMs = expiresAtMs,
    isNearby = nearby == 1 or nil, homeLatitude = homeLatitude ~= 999 and homeLatitude or nil,
    homeLongitude = homeLongitude, sequence = known(sequence), sequenceAtMs = known(sequenceAtMs),
    fixMs = known(fixMs), latitude = latitude, longitude = longitude, referenceFixMs = known(referenceFixMs),
    accuracy = known(accuracy), closing = closing, pace = pace, unsteadiness = unsteadiness,
    watched = known(watched), stillSeconds = stillSeconds, nextUpdateMs = known(nextUpdateMs),
  }
end
