--[[
  Records that a student looks at an old position, so that the platform can wake the trainer's phone: at most once a
  minute and journey, whichever processes ask.

  KEYS  1 journey:active  2 journey:track  3 the mark that it was told  4 outbox
  ARGV  1 clock override  2 sessionId
  Returns  {'told'}  {'not_now'}: the journey has ended, a position has come, or it was told within the minute
]]
-- include: clock
-- include: track
-- include: cached
-- include: outbox
local activeKey, trackKey, markKey, outboxKey, sessionId = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[2]
local ONCE_IN_MS = 60000

local nowMs = now_ms(ARGV[1])
local track = redis.call('EXISTS', activeKey) == 1 and parse_track(cached(trackKey))
if not track or not track.fixMs or nowMs - track.fixMs <= RULES.staleAfterMs then return { 'not_now' } end
-- The mark says of which journey of the session and when.
local ofJourney, toldAtMs = string.match(redis.call('GET', markKey) or '', '^(%d+) (%d+)$')
if ofJourney == whole(track.startedAtMs) and nowMs - toldAtMs < ONCE_IN_MS then return { 'not_now' } end
redis.call('SET', markKey, whole(track.startedAtMs) .. ' ' .. whole(nowMs), 'PX', ONCE_IN_MS)
record_event(outboxKey, 'TrainerLocationStale', nowMs, {
  eventId = event_id(sessionId .. whole(nowMs) .. 'stale'), trainerId = track.trainerId, studentId = track.studentId,
  sessionId = sessionId, time = iso_time(nowMs), lastFixTime = iso_time(track.fixMs),
})
return { 'told' }
