-- When the next position is asked for: at the interval, or later while the trainer stands, is far from home, or the
-- service is overloaded.
local LONGEST_UPDATE_MS = math.max(RULES.updateIntervalMs, RULES.longestUpdateIntervalMs)
-- m/s; a slower receiver shows its own error.
local STANDING_SPEED = 1
-- In intervals of standing. Halves, because phones are never exactly on time.
local TWICE_AFTER, THREE_TIMES_AFTER = 1.5, 3.5
local LONGEST_STILL_SECONDS = 9999
-- m/s: 50 km/h, a city's limit.
local USUAL_SPEED = 13.9
-- At this distance in time a trainer moves by about one sixtieth of the way in an interval, a few pixels of the map.
local NEAR_SECONDS = 300

-- Seconds that the trainer has stood. before: the same at the last fix; gone, elapsed: metres and seconds since then;
-- speed: m/s from the phone; each may be nil.
local function still_seconds(before, gone, elapsed, speed)
  if speed and speed >= STANDING_SPEED then return 0 end
  local still = before or 0
  if not gone or not (elapsed > 0) then return still end
  if gone >= elapsed * STANDING_SPEED then return 0 end
  return math.min(still + elapsed, LONGEST_STILL_SECONDS)
end

-- distance: metres home, or nil where that is not certain; speed: m/s, or nil; stretch: 1, or more under overload.
local function next_update_ms(distance, speed, still, stretch)
  local times, stood = 1, still * 1000 / RULES.updateIntervalMs
  if stood >= THREE_TIMES_AFTER then times = 3 elseif stood >= TWICE_AFTER then times = 2 end
  if distance then times = math.max(times, distance / math.max(speed or 0, USUAL_SPEED) / NEAR_SECONDS) end
  return math.min(LONGEST_UPDATE_MS, math.floor(RULES.updateIntervalMs * times * math.max(1, stretch)))
end
