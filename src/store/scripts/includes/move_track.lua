local function distance_home(track, update)
  if not track.homeLatitude then return nil end
  return distance_meters(update.latitude, update.longitude, track.homeLatitude, track.homeLongitude)
end

-- Brings the track to the accepted position. distance: metres home, or nil; gone, elapsed: see check_speed.
local function move_track(track, update, distance, gone, elapsed)
  local still = still_seconds(track.stillSeconds, gone, elapsed, update.speed)
  -- A first position, or a coarse one, may be wild: it is no reason to ask later for the next.
  track.nextUpdateMs = next_update_ms(gone and distance, update.speed, still, update.stretch)
  track.stillSeconds, track.fixMs = still > 0 and still or nil, update.fixMs
  if update.sequence then track.sequence, track.sequenceAtMs = update.sequence, update.nowMs end
  if update.isCoarse then return end
  if distance and gone then
    local closed = distance_home(track, track) - distance
    watch_approach(track, closed, still > 0 and 0 or gone, elapsed)
  end
  track.latitude, track.longitude, track.accuracy = update.latitude, update.longitude, update.accuracy
  track.referenceFixMs = update.fixMs
end
