--[[
  Records that a student looks at an old position, at most once a minute and journey.

  KEYS
    1  journey:active
    2  journey:track
    3  journey:stale-told: when it was recorded last, and of which journey
    4  journey:outbox
  ARGV
    1  the time in ms, or '' for Redis' own clock
    2  sessionId
  Returns
    {'recorded'}
    {'not_now'}  the journey has ended, a position or still heartbeat has come, or it was recorded within the minute
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: seen_ms
-- include: outbox
-- include: timeline
local activeKey, trackKey, markKey, outboxKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local nowMs, sessionId = now_ms(ARGV[1]), ARGV[2]
local INTERVAL_MS = 60000

local active = cached(activeKey)
local track = active and parse_track(cached(trackKey))
local seenMs = track and is_of_journey(track, active) and seen_ms(track)
if not seenMs or nowMs - seenMs <= RULES.staleAfterMs then return { 'not_now' } end
local startedAtMs, recordedAtMs = string.match(redis.call('GET', markKey) or '', '^(%d+) (%d+)$')
if startedAtMs == whole(track.startMs) and nowMs - recordedAtMs < INTERVAL_MS then return { 'not_now' } end
redis.call('SET', markKey, whole(track.startMs) .. ' ' .. whole(nowMs), 'PX', INTERVAL_MS)
record_event(outboxKey, 'TrainerLocationStale', nowMs, {
  eventId = event_id(sessionId .. whole(nowMs) .. 'stale'), trainerId = track.trainerId, studentId = track.studentId,
  sessionId = sessionId, time = iso_time(nowMs), lastFixTime = iso_time(seenMs),
})
pcall(note, trackKey, track, nowMs, 'staleSeen')
return { 'recorded' }
