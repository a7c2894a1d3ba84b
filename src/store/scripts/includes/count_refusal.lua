-- Counts a refused update in the timeline: why, and how far it was beyond the limit. Returns the refusal. A journey without
-- a record is another version's.
local function count_refusal(keys, track, update, refusal)
  local word, name, over = refusal[1], nil, 0
  if not track.startMs then return refusal end
  if word == 'implausible' then
    local _, spareMs = way_between(track, update)
    name, over = 'LOCATION_IMPLAUSIBLE speed', -spareMs * RULES.maxSpeedKmh / 3600
  elseif word == 'rate_limited' then
    -- Updates of this journey alone use the slot for one interval at most.
    local isOwn = update.lastCameMs and update.nowMs - update.lastCameMs < RULES.updateIntervalMs
    name, over = isOwn and 'RATE_LIMITED tooFrequent' or 'RATE_LIMITED otherSession', refusal[2]
  elseif word == 'location_unknown' then
    name = 'LOCATION_UNKNOWN noPosition'
  elseif word == 'stale' and update.sequence and track.seq and update.sequence <= track.seq then
    name, over = 'LOCATION_STALE sequence', track.seq - update.sequence
  elseif word == 'stale' then
    name, over = 'LOCATION_STALE age', math.max(update.ageMs - RULES.oldestFixMs, (track.fixMs or 0) - update.refMs)
  end
  if name then pcall(note, keys.track, track, update.nowMs, 'refused ' .. name, math.floor(over + 0.5)) end
  return refusal
end
