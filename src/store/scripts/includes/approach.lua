-- How the trainer comes nearer, kept in the location's JSON as "approach":
-- [closing speed in m/s, pace in m/s, unsteadiness in m²/s, seconds watched].
-- The closing speed says how fast the straight line home becomes shorter, of late; the pace how fast the trainer gets on
-- in any direction, with the halts; the unsteadiness how much the way gone in a time differs from the pace, as a variance
-- that grows with the time. src/live/arrival-estimate.ts makes an arrival of them. Where and when they were last
-- true is the location's own place and fixMs, or for a coarse one its reference's.
local CLOSING_MEMORY_SECONDS = 60
local PACE_MEMORY_SECONDS = 300
-- Driving and standing change slowly: two means differ from their common one for that much longer than they last.
local CORRELATED_SECONDS = 15
local MOST_UNSTEADY = 9999
local FASTEST = RULES.maxSpeedKmh / 3.6

-- The approach in a record (see track.lua) after so many seconds in which so many metres were closed, and gone (0 for a
-- trainer who stands). Means over the memory that forget the older exponentially; plain ones until it is full. The
-- variance beside the mean: T. Finch, "Incremental Calculation of Weighted Mean and Variance", 2009, section 9.
local function watch_approach(track, closed, gone, elapsed)
  local watched = track.watched or 0
  if not track.watched then track.closing, track.pace, track.unsteadiness, track.watched = 0, 0, 0, 0 end
  if not (elapsed > 0) then return end
  local recent = math.min(1, elapsed / math.min(watched + elapsed, CLOSING_MEMORY_SECONDS))
  local weight = math.min(1, elapsed / math.min(watched + elapsed, PACE_MEMORY_SECONDS))
  -- Two fixes that are almost one may lie apart by their errors.
  local speed = math.min(FASTEST, gone / elapsed)
  local change = speed - track.pace
  track.closing = track.closing
    + recent * (math.max(-FASTEST, math.min(FASTEST, closed / elapsed)) - track.closing)
  track.pace = track.pace + weight * change
  track.unsteadiness = math.min(MOST_UNSTEADY,
    (1 - weight) * (track.unsteadiness + weight * change * change * (elapsed + CORRELATED_SECONDS)))
  track.watched = math.min(watched + elapsed, PACE_MEMORY_SECONDS)
end

local function approach_json(track)
  return string.format('[%.2f,%.3f,%.0f,%.0f]', track.closing, track.pace, track.unsteadiness, track.watched)
end
