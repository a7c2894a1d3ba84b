-- When the trainer was last known to be at the last position, or nil without one.
local function seen_ms(track)
  return track.fixMs and math.max(track.fixMs, track.stoodMs or 0)
end
