-- What to return where journey:active does not exist:
--   {'ended', nowMs, journey:ended}
--   {'overdue', nowMs, trainerId, studentId, startedAtMs, expiresAtMs}  at its limit, and not swept yet
--   {'not_active', nowMs}
local function not_active(endedKey, trackKey, nowMs)
  local ended = redis.call('GET', endedKey)
  if ended then return { 'ended', nowMs, ended } end
  local track = parse_track(cached(trackKey))
  local overdueMs = track and nowMs - track.endMs
  if overdueMs and overdueMs >= 0 and overdueMs < RULES.endedTtlSeconds * 1000 then
    return { 'overdue', nowMs, track.trainerId, track.studentId, track.startMs, track.endMs }
  end
  return { 'not_active', nowMs }
end
