-- What to answer when journey:active is not there: ended (with journey:ended's value), overdue (the limit has passed and
-- nobody has swept it up yet; with its end and ids), or not_active. An overdue journey is told of for as long as one that
-- was swept up in time.
local function not_active(endedKey, trackKey, nowMs)
  local ended = redis.call('GET', endedKey)
  if ended then return { 'ended', nowMs, ended } end
  local track = parse_track(cached(trackKey))
  local age = track and nowMs - track.expiresAtMs
  if age and age >= 0 and age < RULES.endedTtlSeconds * 1000 then
    return { 'overdue', nowMs, track.trainerId, track.studentId, track.startedAtMs, track.expiresAtMs }
  end
  return { 'not_active', nowMs }
end
