local function stale(track)
  return { 'stale', track.seq and whole(track.seq) or '' }
end

-- A repeat gets the first answer again. The same sequence from elsewhere is of another phone, or of a restarted app.
local function check_duplicate(track, update, stored)
  if not update.sequence or update.sequence ~= track.seq then return nil end
  local beat = track.beatSeq == track.seq and track.beat or nil
  local readable, location = pcall(cjson.decode, stored)
  local place = readable and is_place(location) and location or { latitude = track.lat, longitude = track.lon }
  local isAtItsPlace = place.latitude == update.lat and place.longitude == update.lon
  if beat ~= update.beat or not beat and not isAtItsPlace then return stale(track) end
  return { 'duplicate', track.seqMs or update.nowMs, track.next or RULES.updateIntervalMs }
end

local function check_stale(track, update)
  local isBehind = update.sequence and track.seq and update.sequence < track.seq
  -- No fix is later than the last arrival, unless Redis' clock has stepped back since.
  local isOld = update.ageMs > RULES.oldestFixMs
    or (track.fixMs and update.refMs < math.min(track.fixMs, update.lastCameMs or track.fixMs))
  return (isBehind or isOld) and stale(track) or nil
end
