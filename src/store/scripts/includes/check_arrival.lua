-- A precise fix counts for so long after a coarse one has come.
local PRECISE_COUNTS_MS = 30000

-- Where the student lives, or nil.
local function home_of(keys, journey)
  local own = home_place(journey.studentHomeLocation)
  if own then return own end
  -- A journey that another version started has its home in session:meta alone.
  local readable, meta = pcall(cjson.decode, cached(keys.meta) or '')
  return readable and type(meta) == 'table' and home_place(meta.studentHomeLocation) or nil
end

-- The last precise fix that is not too old, or nil.
local function precise_fix(location, nowMs)
  local isCoarse = is_coarse(tonumber(location.accuracy))
  local place = location
  if isCoarse then place = location.reference end
  if not is_place(place) then return nil end
  local fixMs = not isCoarse and sane_number(location.stoodMs) or sane_number(place.fixMs) or ms_of_iso(place.timestamp)
  local longestMs = isCoarse and PRECISE_COUNTS_MS or RULES.oldestFixMs
  if fixMs and nowMs - fixMs > longestMs then return nil end
  return { lat = place.latitude, lon = place.longitude, acc = sane_number(place.accuracy) }
end

-- Whether there has been time to come to the fix since the last confirmed one.
local function is_reachable(keys, fix, nowMs)
  local track = parse_track(cached(keys.track))
  if not track or not track.conf or not is_of_journey(track, cached(keys.active)) then return true end
  fix.refMs = nowMs
  local _, spareMs = way_between(track.conf, fix)
  return spareMs >= 0
end

-- Returns the distance home in whole metres, or nil and a refusal.
local function check_arrival(keys, journey, nowMs)
  local home = home_of(keys, journey)
  if not home then return nil, { 'no_home' } end
  local locationKey = keys.locationPrefix .. journey.trainerId .. ':session:' .. journey.sessionId
  local stored = redis.call('GET', locationKey)
  if not stored then return nil, { 'location_unknown' } end
  local readable, location = pcall(cjson.decode, stored)
  if not readable or not is_place(location) then return nil, { 'corrupt', locationKey } end
  local fix = precise_fix(location, nowMs)
  if not fix or not is_reachable(keys, fix, nowMs) then return nil, { 'location_unknown' } end
  local meters = distance_meters(fix.lat, fix.lon, home.latitude, home.longitude)
  local distance = math.floor(meters + 0.5)
  if meters > RULES.arrivalRadiusMeters then return nil, { 'too_far', distance } end
  return distance
end
