--[[
  Reads what support sees of a journey beside its position; changes nothing.

  KEYS
    1  journey:active
    2  journey:track
    3  journey:timeline
    4  journey:watched
    5  journey:watch-refused
  ARGV
    1  the time in ms, or '' for Redis' own clock
  Returns
    {nowMs, JSON of the record's summary or nil, journey:timeline or nil, ms left of journey:watched and of
      journey:watch-refused, each below zero without one}
    The summary is nil without a readable record of the active journey.
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: seen_ms
-- include: track_summary
local activeKey, trackKey, timelineKey, watchedKey, refusedKey = unpack(KEYS)
local active, track = cached(activeKey), parse_track(cached(trackKey))
local summary = track and active and is_of_journey(track, active) and cjson.encode(track_summary(track))
return { now_ms(ARGV[1]), summary or false, cached(timelineKey),
  redis.call('PTTL', watchedKey), redis.call('PTTL', refusedKey) }
