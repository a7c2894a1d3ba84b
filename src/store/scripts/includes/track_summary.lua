-- What support sees of a record; sequence is text, because cjson writes 14 digits.
local function track_summary(track)
  return {
    startMs = track.startMs, firstMs = track.firstMs, nearbyMs = tonumber(track.nearby), accepted = track.got,
    sequence = track.seq and whole(track.seq), preciseMs = track.refMs, seenMs = seen_ms(track),
    lastMs = (track.at or track.seqMs) and math.max(track.at or 0, track.seqMs or 0), nextUpdateMs = track.next,
  }
end
