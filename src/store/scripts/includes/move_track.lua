local function distance_home(track, update)
  if not track.homeLat then return nil end
  return distance_meters(update.latitude, update.longitude, track.homeLat, track.homeLon)
end

-- Brings the track to the accepted position. distance: metres home, or nil; gone, elapsed: see check_speed.
local function move_track(track, update, distance, gone, elapsed)
  local still = still_seconds(track.still, gone, elapsed, update.speed)
  -- A first position, or a coarse one, may be wild: it is no reason to ask later for the next.
  track.next = next_update_ms(gone and distance, update.speed, still, update.stretch)
  track.still, track.fixMs = still > 0 and still or nil, update.fixMs
  if update.sequence then track.seq, track.seqMs = update.sequence, update.nowMs end
  if update.isCoarse then return end
  if distance and gone then
    local closed = distance_meters(track.lat, track.lon, track.homeLat, track.homeLon) - distance
    watch_approach(track, closed, still > 0 and 0 or gone, elapsed)
  end
  track.lat, track.lon, track.acc = update.latitude, update.longitude, update.accuracy
  track.refMs = update.fixMs
end
