-- cjson reads text, NaN and infinity as numbers too.
local function sane_number(value)
  return type(value) == 'number' and value >= 0 and value < 2 ^ 53 and value or nil
end

-- Another version of the service does not write journey:track: the next position is judged by that version's location.
local function take_over(track, location)
  local atMs, sequence = ms_of_iso(location.timestamp), sane_number(location.sequence)
  local fixMs = sane_number(location.fixMs) or atMs
  if sequence and sequence > (track.seq or -1) then track.seq, track.seqMs = sequence, atMs end
  local isReference = not is_coarse(sane_number(location.accuracy))
  local reference = isReference and location or location.reference
  local isUsable = is_place(reference) and sane_number(isReference and fixMs or reference.fixMs)
  track.refMs = isUsable or nil
  if isUsable then
    track.lat, track.lon = reference.latitude, reference.longitude
    track.acc = sane_number(reference.accuracy)
  end
  track.secs, track.still, track.next = nil, nil, nil
  if fixMs then track.fixMs = math.max(track.fixMs or fixMs, fixMs) end
end

-- Returns the track, empty where there is none, and whether the stored location cannot be read.
local function load_track(keys, update)
  local record = cached(keys.track)
  local track = parse_track(record) or {}
  if is_old_track(record) then schedule_expiry(keys.expiries, update.sessionId, track.endMs) end
  local stored = redis.pcall('GET', keys.location)
  if not stored then return track, false end
  local isOwn = track.fixMs and type(stored) == 'string'
    and string.find(stored, '"fixMs":' .. whole(track.fixMs) .. ',', 1, true)
  if isOwn then return track, false end
  local readable, location = pcall(cjson.decode, stored)
  if not readable or not is_place(location) then return track, true end
  take_over(track, location)
  return track, false
end
