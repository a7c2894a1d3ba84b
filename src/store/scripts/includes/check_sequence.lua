-- A repeat gets the first answer again.
local function check_duplicate(track, update)
  if not update.sequence or update.sequence ~= track.sequence then return nil end
  return { 'duplicate', track.sequenceAtMs or update.nowMs, track.nextUpdateMs or RULES.updateIntervalMs }
end

local function check_stale(track, update)
  local isBehind = update.sequence and track.sequence and update.sequence < track.sequence
  local isOld = update.ageMs > RULES.oldestFixMs or (track.fixMs and update.fixMs < track.fixMs)
  if not isBehind and not isOld then return nil end
  return { 'stale', track.sequence and whole(track.sequence) or '' }
end
