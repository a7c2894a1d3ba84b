-- Another version of the service does not write journey:track: the next position is judged by that version's location.
local function take_over(track, location)
  local atMs, sequence = ms_of_iso(location.timestamp), sane_number(location.sequence)
  local fixMs = sane_number(location.fixMs) or atMs
  if atMs and fixMs then fixMs = math.min(atMs, fixMs) end
  if sequence and sequence > (track.seq or -1) then track.seq, track.seqMs = sequence, atMs end
  local isReference = not is_coarse(sane_number(location.accuracy))
  local reference = isReference and location or location.reference
  local isUsable = is_place(reference) and sane_number(isReference and fixMs or reference.fixMs)
  track.refMs = isUsable or nil
  if isUsable then
    track.lat, track.lon = reference.latitude, reference.longitude
    track.acc = sane_number(reference.accuracy)
  end
  track.at, track.late, track.secs, track.still, track.next = atMs, nil, nil, nil, nil
  track.stoodMs, track.problem = sane_number(location.stoodMs), nil
  if fixMs then track.fixMs = math.max(track.fixMs or fixMs, fixMs) end
end

-- Returns the track, the stored location, and whether that cannot be read. The track is empty without a record of this
-- journey: one of an earlier journey of the session does not count.
local function load_track(keys, active, update)
  local record, stored = cached(keys.track), redis.pcall('GET', keys.location)
  local track = parse_track(record)
  -- A location ends with its journey, so a record that fits it is of this journey.
  local fits = track and track.fixMs and type(stored) == 'string'
    and string.find(stored, '"fixMs":' .. whole(track.fixMs) .. ',', 1, true)
  if not track or not fits and not is_of_journey(track, active) then track = {} end
  if track.endMs and is_old_track(record) then schedule_expiry(keys.expiries, update.sessionId, track.endMs) end
  if not stored or fits then return track, stored, false end
  local readable, location = pcall(cjson.decode, stored)
  if not readable or not is_place(location) then return track, stored, true end
  take_over(track, location)
  return track, stored, false
end
