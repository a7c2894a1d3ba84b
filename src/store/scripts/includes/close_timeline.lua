-- Notes how the journey ended, and copies of the record, which is deleted, what support needs. Call it with pcall.
local function close_timeline(keys, journey, name, endedAtMs)
  local track = parse_track(cached(keys.track))
  if not track or (ms_of_iso(journey.startedAt) or track.startMs) ~= track.startMs then return end
  local timeline, key = note(keys.track, track, endedAtMs, name)
  timeline.endMs, timeline.track = endedAtMs, track_summary(track)
  timeline.trainerId, timeline.studentId = track.trainerId, track.studentId
  redis.call('SET', key, cjson.encode(timeline), 'PX', TIMELINE_OUTLIVES_MS)
end
