-- Copies what support needs of the record, which is deleted, into the timeline. name: how the journey ended.
local function close_timeline(keys, journey, name, endedAtMs)
  local track = parse_track(cached(keys.track))
  if not track or (ms_of_iso(journey.startedAt) or track.startMs) ~= track.startMs then return end
  pcall(function()
    local key = open_timeline(keys.track, track)
    note_silence(key, track, endedAtMs)
    add_entry(key, name, endedAtMs, 1)
    local values = { endMs = endedAtMs, firstMs = track.firstMs, nearbyMs = tonumber(track.nearby), accepted = track.got,
      sequence = track.seq }
    for field, number in pairs(values) do redis.call('HSET', key, field, whole(number)) end
    redis.call('HSET', key, 'trainerId', journey.trainerId, 'studentId', journey.studentId)
    redis.call('PEXPIRE', key, whole(TIMELINE_OUTLIVES_MS))
  end)
end
