-- How the trainer approaches: in the track, and in the location as "approach": [closing, pace, spread, secs].
--   closing  m/s by which the straight line home has become shorter, recently
--   pace     m/s in any direction, stops included
--   spread   m²/s: variance of the distance covered in a time, which grows with that time
--   secs     seconds that these are based on
-- src/live/arrival-estimate.ts derives the arrival from them.
local CLOSING_MEMORY_SECONDS = 60
local PACE_MEMORY_SECONDS = 300
-- Speed is correlated over this time, so the variance of a mean shrinks more slowly.
local CORRELATED_SECONDS = 15
local MOST_UNSTEADY = 9999
local FASTEST = RULES.maxSpeedKmh / 3.6

local floor = math.floor

-- In 1,024ths, which MessagePack stores in half the space.
local function short(number)
  return floor(number * 1024 + 0.5) / 1024
end

-- Exponentially weighted means over the memory, plain means until it is full. Variance: T. Finch, "Incremental
-- Calculation of Weighted Mean and Variance", 2009, section 9. closed, gone: metres in the seconds elapsed.
local function watch_approach(track, closed, gone, elapsed)
  local watched = track.secs or 0
  if not track.secs then track.closing, track.pace, track.spread, track.secs = 0, 0, 0, 0 end
  if not (elapsed > 0) then return end
  local recent = math.min(1, elapsed / math.min(watched + elapsed, CLOSING_MEMORY_SECONDS))
  local weight = math.min(1, elapsed / math.min(watched + elapsed, PACE_MEMORY_SECONDS))
  -- Capped, because the errors of two fixes at almost the same time look like a high speed.
  local speed = math.min(FASTEST, gone / elapsed)
  local change = speed - track.pace
  track.closing = short(track.closing
    + recent * (math.max(-FASTEST, math.min(FASTEST, closed / elapsed)) - track.closing))
  track.pace = short(track.pace + weight * change)
  track.spread = short(math.min(MOST_UNSTEADY,
    (1 - weight) * (track.spread + weight * change * change * (elapsed + CORRELATED_SECONDS))))
  track.secs = short(math.min(watched + elapsed, PACE_MEMORY_SECONDS))
end
