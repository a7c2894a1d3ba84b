-- Whether the trainer can have come from one fix to the next. A fix has lat, lon, acc, refMs and late: how many ms
-- earlier than refMs it may have been made, because its request was delayed.

-- So many refused fixes that agree replace the reference: a candidate and three after it. Two others may come between
-- them, so that further wild fixes do not cost an honest phone more.
local AGREEING_TRIES, MOST_TRIES = 4, 6
-- Consecutive plausible fixes that confirm the last one.
local CONFIRMING = 3

-- The metres between two fixes, and how many ms the trainer could have paused on the way at the highest speed; below
-- zero the second is implausible.
local function way_between(from, to)
  local gone = distance_meters(from.lat, from.lon, to.lat, to.lon)
  local elapsedMs = to.refMs - from.refMs + (from.late or 0)
  local apart = gone - math.min(from.acc or 0, RULES.accuracyCapMeters)
    - math.min(to.acc or 0, RULES.accuracyCapMeters)
  if apart <= 0 then return gone, math.max(0, elapsedMs) end
  return gone, elapsedMs - apart * 3600 / RULES.maxSpeedKmh
end

-- Adds an implausible fix to the refused ones. Returns whether it replaces the reference: enough of them form a path, each
-- plausible after the one before, that ends with it.
local function refuse_fix(track, update)
  local function fix_of(from, late)
    return { lat = from.lat, lon = from.lon, acc = from.acc, refMs = from.refMs, late = late }
  end
  local tries, lengths = track.tries or {}, {}
  track.tries = tries
  table.insert(tries, fix_of(update, update.late > 0 and update.late or nil))
  for later = 1, #tries do
    lengths[later] = 1
    for earlier = 1, later - 1 do
      local _, spareMs = way_between(tries[earlier], tries[later])
      if spareMs >= 0 then lengths[later] = math.max(lengths[later], lengths[earlier] + 1) end
    end
  end
  if lengths[#tries] >= AGREEING_TRIES then
    if not track.run then track.conf = track.conf or fix_of(track) end
    track.run = nil
    return true
  end
  if #tries == MOST_TRIES then table.remove(tries, 1) end
  if track.run then track.run = 0 end
  return false
end

-- The reference may not have been made before the trainer can have come there.
local function accept_fix(track, update, spareMs)
  track.tries = nil
  update.late = math.min(update.late, math.floor(spareMs))
  if not track.conf then return end
  local _, confirmedSpareMs = way_between(track.conf, update)
  if confirmedSpareMs < 0 then return end
  track.conf = nil
  update.late = math.min(update.late, math.floor(confirmedSpareMs))
end

-- Returns 'recorded', 'reanchored' or 'implausible', and the metres and seconds since the reference where the fix is
-- plausible after it.
local function judge(track, update)
  if update.isCoarse then return 'recorded' end
  if not track.refMs then
    track.run = 1
    return 'recorded'
  end
  local gone, spareMs = way_between(track, update)
  if spareMs < 0 then
    if not refuse_fix(track, update) then return 'implausible' end
    accept_fix(track, update, update.late)
    return 'reanchored'
  end
  if track.run then track.run = track.run + 1 < CONFIRMING and track.run + 1 or nil end
  accept_fix(track, update, spareMs)
  return 'recorded', gone, (update.refMs - track.refMs) / 1000
end
