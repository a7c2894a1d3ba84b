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
    JSON: {"nowMs", "track": {…}, "timeline": [field, value, …], "watchedLeftMs", "watchRefusedLeftMs"}; the track is absent
    without a readable record of the active journey, what is left of a key that does not exist is below zero
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
local activeKey, trackKey, timelineKey, watchedKey, watchRefusedKey = unpack(KEYS)
local nowMs = now_ms(ARGV[1])

local function read_track()
  local active, track = cached(activeKey), parse_track(cached(trackKey))
  if not track or active and not is_of_journey(track, active) then return nil end
  return {
    startMs = track.startMs, firstMs = track.firstMs, nearbyMs = tonumber(track.nearby), accepted = track.got,
    -- Text, because cjson writes 14 digits.
    sequence = track.seq and whole(track.seq), referenceMs = track.refMs,
    lastMs = (track.at or track.seqMs) and math.max(track.at or 0, track.seqMs or 0), nextUpdateMs = track.next,
  }
end

local timeline = redis.pcall('HGETALL', timelineKey)
return cjson.encode({ nowMs = nowMs, track = read_track(), timeline = not timeline.err and timeline or {},
  watchedLeftMs = redis.call('PTTL', watchedKey), watchRefusedLeftMs = redis.call('PTTL', watchRefusedKey) })
