--[[
  Ends a journey that has reached its limit, once, whichever process comes first.

  KEYS
    1  journey:active
    2  journey:ended
    3  journey:track
    4  session:meta
    5  journey:expiries
    6  journey:outbox
  ARGV
    1  the time in ms, or '' for Redis' own clock
    2  sessionId
    3  seed of the event id
    4  prefix of location keys
  Returns
    {'expired'}
    {'not_due'}
    {'untracked'}   the record cannot be read; it is deleted, and no event is recorded
    {'superseded'}  another version of the service has ended the journey, or started the next one
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: schedule_expiry
-- include: expiries
-- include: outbox
-- include: changes
-- include: timeline
-- include: seen_ms
-- include: track_summary
-- include: close_timeline
-- include: close_journey
local keys = { active = KEYS[1], ended = KEYS[2], track = KEYS[3], meta = KEYS[4], expiries = KEYS[5],
  outbox = KEYS[6], locationPrefix = ARGV[4] }
local nowMs, sessionId, eventSeed = now_ms(ARGV[1]), ARGV[2], ARGV[3]

local function forget_journey(outcome)
  cancel_expiry(keys.expiries, sessionId)
  redis.call('DEL', keys.track)
  return { outcome }
end

if not is_due(keys.expiries, sessionId, nowMs) and not is_due(old_expiries_key(keys.expiries), sessionId, nowMs) then
  return { 'not_due' }
end
if redis.call('EXISTS', keys.track) == 0 then return forget_journey('superseded') end
local track = parse_track(cached(keys.track))
if not track then return forget_journey('untracked') end
if track.endMs > nowMs then
  -- The entry belongs to an earlier journey of the session.
  schedule_expiry(keys.expiries, sessionId, track.endMs)
  return { 'superseded' }
end
local isAnothers = not is_of_journey(track, cached(keys.active))
if isAnothers or is_marked_ended(keys.ended, track) then return forget_journey('superseded') end
local markTtlMs = RULES.endedTtlSeconds * 1000 - (nowMs - track.endMs)
close_journey(keys, journey_of(track, sessionId), 'timeout', track.endMs, markTtlMs, eventSeed)
return { 'expired' }
