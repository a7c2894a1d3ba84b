-- A repeat gets the first answer again.
local function check_duplicate(track, update)
  if not update.sequence or update.sequence ~= track.seq then return nil end
  return { 'duplicate', track.seqMs or update.nowMs, track.next or RULES.updateIntervalMs }
end

local function check_stale(track, update)
  local isBehind = update.sequence and track.seq and update.sequence < track.seq
  local isOld = update.ageMs > RULES.oldestFixMs or (track.fixMs and update.fixMs < track.fixMs)
  if not isBehind and not isOld then return nil end
  return { 'stale', track.seq and whole(track.seq) or '' }
end
