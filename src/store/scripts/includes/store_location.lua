local function field(name, text)
  return text == '' and '' or ',"' .. name .. '":' .. text
end

-- What age and ETA are made of, for a coarse position with the last exact one.
local function forecast_json(track, update)
  local json = track.still and string.format(',"stillSeconds":%.1f', track.still) or ''
  if track.stoodMs then json = json .. ',"stoodMs":' .. whole(track.stoodMs) end
  if update.isCoarse and track.refMs then
    json = json .. ',"reference":' .. cjson.encode({ latitude = track.lat, longitude = track.lon,
      accuracy = track.acc, fixMs = track.refMs })
  end
  if not track.secs then return json end
  return json .. string.format(',"approach":[%.2f,%.3f,%.0f,%.0f]', track.closing, track.pace, track.spread, track.secs)
end

-- Returns the location's JSON.
local function store_location(keys, track, update)
  local ids = '"sessionId":"' .. update.sessionId .. '","trainerId":"' .. update.trainerId .. '"'
  local location = '{"latitude":' .. update.latitudeText .. ',"longitude":' .. update.longitudeText
    .. field('accuracy', update.accuracyText) .. field('speed', update.speedText)
    .. field('heading', update.headingText) .. field('sequence', update.sequenceText)
    .. ',"timestamp":"' .. update.nowText .. '","fixMs":' .. whole(update.refMs)
    .. ',"nextUpdateMs":' .. track.next .. ',' .. ids .. forecast_json(track, update) .. '}'
  redis.call('SET', keys.location, location, 'EX', RULES.locationTtlSeconds)
  return location
end
