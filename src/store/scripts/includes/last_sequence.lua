-- The last sequence of the journey of journey:active's JSON as text, or ''.
local function last_sequence(trackKey, active)
  local track = parse_track(cached(trackKey))
  return track and track.seq and is_of_journey(track, active) and whole(track.seq) or ''
end
