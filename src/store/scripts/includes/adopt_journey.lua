-- Gives a journey that another version of the service started a record and an expiry.
local function adopt_journey(active, keys, track, update)
  local readable, journey = pcall(cjson.decode, active)
  local leftMs = redis.call('PTTL', keys.active)
  if not readable or type(journey) ~= 'table' or type(journey.studentId) ~= 'string' or leftMs <= 0 then return end
  track.trainerId, track.studentId = update.trainerId, string.lower(journey.studentId)
  track.startMs = ms_of_iso(journey.startedAt) or update.nowMs
  track.endMs = update.nowMs + leftMs
  local home = home_place(journey.studentHomeLocation)
  if home then track.homeLat, track.homeLon = home.latitude, home.longitude end
  schedule_expiry(keys.expiries, update.sessionId, track.endMs)
end
