-- Redis' clock dates everything, so that the clocks of the service's processes do not matter.
-- override: milliseconds since the epoch as text, or ''; only tests set it.
local function now_ms(override)
  if override ~= '' then return tonumber(override) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua itself writes a large number as 1.7e+12.
local function whole(number)
  return string.format('%d', number)
end

-- Milliseconds since the epoch as ISO 8601 UTC. H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
-- civil_from_days.
local function iso_time(ms)
  local floor = math.floor
  local days = floor(ms / 86400000)
  local rest = ms - days * 86400000
  local z = days + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local day = doy - floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    floor(rest / 3600000), floor(rest / 60000) % 60, floor(rest / 1000) % 60, rest % 1000)
end

-- The inverse (days_from_civil); nil where the text is not such a time.
local function ms_of_iso(text)
  local year, month, day, hour, minute, second = string.match(tostring(text),
    '^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):([%d.]+)Z$')
  if not year or not tonumber(second) then return nil end
  local floor = math.floor
  local y, m = year - (tonumber(month) <= 2 and 1 or 0), tonumber(month)
  local era = floor(y / 400)
  local yoe = y - era * 400
  local doy = floor((153 * (m > 2 and m - 3 or m + 9) + 2) / 5) + day - 1
  local days = era * 146097 + yoe * 365 + floor(yoe / 4) - floor(yoe / 100) + doy - 719468
  return ((days * 24 + hour) * 60 + minute) * 60000 + floor(second * 1000 + 0.5)
end
