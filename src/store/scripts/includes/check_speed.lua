-- Refuses a fix that the trainer cannot have reached from the last one that was not coarse.
-- Returns the metres and seconds between the two, nil where there is none to compare, and the refusal.
local function check_speed(track, update)
  if not track.refMs or update.isCoarse then return nil end
  local gone = distance_meters(track.lat, track.lon, update.latitude, update.longitude)
  local elapsed = (update.fixMs - track.refMs) / 1000
  local apart = gone - math.min(track.acc or 0, RULES.accuracyCapMeters)
    - math.min(update.accuracy or 0, RULES.accuracyCapMeters)
  -- m/s * 3.6 = km/h; multiplied, so that two fixes at the same time do not divide by zero.
  if apart > 0 and apart * 3.6 > RULES.maxSpeedKmh * elapsed then return gone, elapsed, { 'implausible' } end
  return gone, elapsed
end
