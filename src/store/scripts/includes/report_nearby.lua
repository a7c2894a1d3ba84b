-- Records TrainerNearby once a journey, from a confirmed position that is inside with its whole accuracy.
local function report_nearby(keys, track, update, distance)
  local isConfirmed = not track.run and not track.conf
  if not distance or track.nearby or update.isCoarse or not isConfirmed then return end
  if distance + (update.acc or 0) > RULES.nearbyRadiusMeters then return end
  track.nearby = update.nowMs
  record_event(keys.outbox, 'TrainerNearby', update.nowMs, {
    eventId = event_id(update.sessionId .. whole(track.startMs) .. 'nearby'), trainerId = track.trainerId,
    studentId = track.studentId, sessionId = update.sessionId, time = update.nowText,
    distanceMeters = math.floor(distance + 0.5),
  })
end
