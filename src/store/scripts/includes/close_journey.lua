-- What close_journey needs of a journey of which only the record is left.
local function journey_of(track, sessionId)
  return { sessionId = sessionId, trainerId = track.trainerId, studentId = track.studentId,
    startedAt = iso_time(track.startMs) }
end

-- Ends a journey, whatever the reason ('arrived', 'cancelled' or 'timeout'): deletes its location, cached metadata,
-- record and expiry, writes journey:ended for markTtlMs, records the event and notifies watchers. role: of who ended it.
local function close_journey(keys, journey, reason, endedAtMs, markTtlMs, eventSeed, role)
  local endedAt = iso_time(endedAtMs)
  pcall(close_timeline, keys, journey, role and reason .. ' ' .. role or reason, endedAtMs)
  redis.call('DEL', keys.active, keys.meta, keys.track,
    keys.locationPrefix .. journey.trainerId .. ':session:' .. journey.sessionId)
  cancel_expiry(keys.expiries, journey.sessionId)
  if markTtlMs > 0 then
    redis.call('SET', keys.ended, cjson.encode({
      sessionId = journey.sessionId, trainerId = journey.trainerId, studentId = journey.studentId,
      startedAt = journey.startedAt, endedAt = endedAt, reason = reason,
    }), 'PX', whole(markTtlMs))
  end
  record_event(keys.outbox, 'TrainerJourneyEnded', endedAtMs, {
    eventId = event_id(eventSeed .. journey.sessionId), trainerId = journey.trainerId, studentId = journey.studentId,
    sessionId = journey.sessionId, endTime = endedAt, reason = reason,
  })
  notify_watchers(journey.sessionId, 'ended')
end
