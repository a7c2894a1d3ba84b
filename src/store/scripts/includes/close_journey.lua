-- Ends a journey whatever the reason: no location and no cached metadata is left, journey:ended tells what happened for
-- a while, the deadline goes, the ended event is in the outbox, and whoever waits is told. Reason: arrived, cancelled or
-- timeout.
local function close_journey(keys, journey, reason, endedAtMs, markTtlMs, eventSeed)
  redis.call('DEL', keys.active, keys.meta, keys.track,
    keys.locationPrefix .. journey.trainerId .. ':session:' .. journey.sessionId)
  redis.call('ZREM', keys.deadlines, journey.sessionId)
  if markTtlMs > 0 then
    redis.call('SET', keys.ended, cjson.encode({
      sessionId = journey.sessionId, trainerId = journey.trainerId, studentId = journey.studentId,
      startedAt = journey.startedAt, endedAt = iso_time(endedAtMs), reason = reason,
    }), 'PX', whole(markTtlMs))
  end
  record_event(keys.outbox, 'TrainerJourneyEnded', endedAtMs, {
    eventId = event_id(eventSeed .. journey.sessionId), trainerId = journey.trainerId, studentId = journey.studentId,
    sessionId = journey.sessionId, endTime = iso_time(endedAtMs), reason = reason,
  })
  tell_watchers(journey.sessionId, 'ended')
end
