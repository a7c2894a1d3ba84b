-- When updates come: networks delay them, and Redis' clock may step back.

-- Phones that have come earlier than asked post at the ordinary interval.
local function interval_ms(track)
  return not track.early and track.next or RULES.updateIntervalMs
end

-- How many ms later than due the update comes: at most so long ago its fix may have been made.
local function note_lateness(track, update)
  local lateMs = update.lastCameMs and update.nowMs - update.lastCameMs - interval_ms(track) or 0
  if lateMs < -RULES.updateToleranceMs then track.early = true end
  update.late = math.max(0, math.min(lateMs, RULES.mostLatenessMs))
end

-- Notes that the update has used its slot.
local function note_arrival(track, update)
  track.got = (track.got or 0) + 1
  track.at = not update.sequence and update.nowMs or nil
  if not update.sequence then return end
  track.seq, track.seqMs = update.sequence, update.nowMs
  track.beat, track.beatSeq = update.beat, update.beat and update.sequence
end

-- Notes when the last update came. Where Redis' clock has stepped back since (failover, NTP), that was one interval ago.
-- Returns by how many ms times have been shifted.
local function follow_clock(track, update)
  local at, seqMs = track.at, track.seqMs
  local cameMs = at and seqMs and math.max(at, seqMs) or at or seqMs
  update.lastCameMs = cameMs
  if not cameMs or cameMs <= update.nowMs then return 0 end
  local shiftMs = cameMs - update.nowMs + interval_ms(track)
  update.lastCameMs = cameMs - shiftMs
  -- startMs and endMs stay, because they identify the journey, and fixMs, because it identifies the location.
  local function shift(fix)
    for _, name in ipairs({ 'at', 'seqMs', 'refMs', 'stoodMs' }) do fix[name] = fix[name] and fix[name] - shiftMs end
  end
  shift(track)
  if track.conf then shift(track.conf) end
  for _, try in ipairs(track.tries or {}) do shift(try) end
  return shiftMs
end
