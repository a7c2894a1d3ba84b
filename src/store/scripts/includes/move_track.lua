local function distance_home(track, update)
  if not track.homeLat then return nil end
  return distance_meters(update.lat, update.lon, track.homeLat, track.homeLon)
end

-- Brings the track to the accepted position. distance: metres home, or nil; gone, elapsed: see judge.
local function move_track(track, update, distance, gone, elapsed)
  -- For how long the phone has reported since the reference that it stands there.
  local stoodSeconds = track.stoodMs and track.fixMs == track.refMs and (track.stoodMs - track.refMs) / 1000 or 0
  local still = still_seconds(track.still, gone, elapsed and elapsed - stoodSeconds, update.speed)
  -- A first position, or a coarse one, may be wild: it is no reason to ask later for the next.
  track.next = next_update_ms(gone and distance, update.speed, still, update.stretch)
  if not track.fixMs then track.firstMs = update.nowMs end
  track.still, track.fixMs = still > 0 and still or nil, update.refMs
  track.stoodMs, track.problem = nil, nil
  note_arrival(track, update)
  if update.isCoarse then return end
  if distance and gone then
    local closed = distance_meters(track.lat, track.lon, track.homeLat, track.homeLon) - distance
    watch_approach(track, closed, still > 0 and 0 or gone, elapsed)
  end
  track.lat, track.lon, track.acc = update.lat, update.lon, update.acc
  track.refMs, track.late = update.refMs, update.late > 0 and update.late or nil
end
