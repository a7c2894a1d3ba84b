-- Where the student lives, or false.
local function home_of(keys, journey)
  if journey.studentHomeLocation ~= nil then return journey.studentHomeLocation end
  -- A journey that another version started has its home in session:meta alone.
  local readable, meta = pcall(cjson.decode, cached(keys.meta) or '')
  return readable and type(meta) == 'table' and meta.studentHomeLocation
end

-- Returns the distance home in whole metres, or nil and a refusal.
local function check_arrival(keys, journey)
  local home = home_of(keys, journey)
  if not is_place(home) then return nil, { 'no_home' } end
  local locationKey = keys.locationPrefix .. journey.trainerId .. ':session:' .. journey.sessionId
  local stored = redis.call('GET', locationKey)
  if not stored then return nil, { 'location_unknown' } end
  local readable, location = pcall(cjson.decode, stored)
  if not readable or not is_place(location) then return nil, { 'corrupt', locationKey } end
  if is_coarse(tonumber(location.accuracy)) then return nil, { 'location_unknown' } end
  local meters = distance_meters(location.latitude, location.longitude, home.latitude, home.longitude)
  local distance = math.floor(meters + 0.5)
  if meters > RULES.arrivalRadiusMeters then return nil, { 'too_far', distance } end
  return distance
end
