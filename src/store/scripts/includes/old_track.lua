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

local function parse_old_track(record)
  local function known(number)
    return number ~= -1 and number or nil
  end
  local _, nearby, startedAtMs, expiresAtMs, homeLatitude, homeLongitude, sequence, sequenceAtMs, fixMs, latitude,
    longitude, referenceFixMs, accuracy, closing, pace, unsteadiness, watched, stillSeconds, nextUpdateMs, trainerId,
    studentId = struct.unpack(OLD_LAYOUT, record)
  return {
    trainerId = trainerId, studentId = studentId, startMs = startedAtMs, endMs = expiresAtMs,
    nearby = nearby == 1 or nil, homeLat = homeLatitude ~= 999 and homeLatitude or nil,
    homeLon = homeLongitude, seq = known(sequence), seqMs = known(sequenceAtMs),
    fixMs = known(fixMs), lat = latitude, lon = longitude, refMs = known(referenceFixMs),
    acc = known(accuracy), closing = closing, pace = pace, spread = unsteadiness,
    secs = known(watched), still = stillSeconds, next = known(nextUpdateMs),
  }
end
