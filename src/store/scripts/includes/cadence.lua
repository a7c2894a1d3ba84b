-- When the next position is wanted, in milliseconds: never before the limit, later while the trainer stands or is far
-- away, and later for all while the service has too much to do. Each is a multiple of the interval.
local LONGEST_UPDATE_MS = math.max(RULES.updateIntervalMs, 15000)
-- In m/s: whoever is slower stands, and what a receiver shows is its own error.
local SLOWEST_SPEED = 1
-- From so many intervals of standing on, twice the interval, and three times. Halves, since phones are never on the dot.
local TWICE_AFTER, THREE_TIMES_AFTER = 1.5, 3.5
local LONGEST_STILL_SECONDS = 9999
-- In m/s: 50 km/h, as fast as a city allows.
local USUAL_SPEED = 13.9
-- Whoever is so far away moves by a sixtieth of the way in an interval of 5 s: 5 pixels of the 300 of a phone's map that
-- shows both ends. Farther away a longer interval is no more than that.
local NEAR_SECONDS = 300

-- Seconds that the trainer has stood, by the phone's speed and by the metres gone in the seconds elapsed since the fix
-- before; those are nil where there is none to compare with. before: the seconds up to then, or nil.
local function still_seconds(before, gone, elapsed, speed)
  if speed and speed >= SLOWEST_SPEED then return 0 end
  local known = before or 0
  if not gone or not (elapsed > 0) then return known end
  if gone >= elapsed * SLOWEST_SPEED then return 0 end
  return math.min(known + elapsed, LONGEST_STILL_SECONDS)
end

-- distance: metres home, or nil where that is not sure; speed: m/s, or nil; stretch: 1, or more under overload.
local function next_update_ms(distance, speed, still, stretch)
  local times, stood = 1, still * 1000 / RULES.updateIntervalMs
  if stood >= THREE_TIMES_AFTER then times = 3 elseif stood >= TWICE_AFTER then times = 2 end
  if distance then times = math.max(times, distance / math.max(speed or 0, USUAL_SPEED) / NEAR_SECONDS) end
  return math.min(LONGEST_UPDATE_MS, math.floor(RULES.updateIntervalMs * times * math.max(1, stretch)))
end
