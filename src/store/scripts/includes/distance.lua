-- Great-circle distance in metres by the haversine formula; the source is in src/journeys/distance.ts.
local function distance_meters(latitude1, longitude1, latitude2, longitude2)
  local phi1, phi2 = math.rad(latitude1), math.rad(latitude2)
  local half_chord = math.sin((phi2 - phi1) / 2) ^ 2
    + math.cos(phi1) * math.cos(phi2) * math.sin(math.rad(longitude2 - longitude1) / 2) ^ 2
  return 2 * RULES.earthRadiusMeters * math.asin(math.min(1, math.sqrt(half_chord)))
end

-- cjson reads text, NaN and infinity as numbers too.
local function sane_number(value)
  return type(value) == 'number' and value >= 0 and value < 2 ^ 53 and value or nil
end

-- Whether a decoded value has valid coordinates.
local function is_place(value)
  return type(value) == 'table' and type(value.latitude) == 'number' and type(value.longitude) == 'number'
    and math.abs(value.latitude) <= 90 and math.abs(value.longitude) <= 180
end

-- A studentHomeLocation as src/journeys/home.ts reads it, or nil.
local function home_place(home)
  if type(home) ~= 'table' then return nil end
  local function degrees(value)
    local isText = type(value) == 'string' and string.match(value, '^%s*[+-]?%d+%.?%d*%s*$')
    return isText and tonumber(value) or value
  end
  local place = { latitude = degrees(home.latitude or home.lat),
    longitude = degrees(home.longitude or home.lng or home.lon) }
  return is_place(place) and place or nil
end

local function is_coarse(accuracy)
  return accuracy ~= nil and accuracy > RULES.coarseAccuracyMeters
end
