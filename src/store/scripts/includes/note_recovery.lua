-- Notes in the timeline that a position comes after a silence. Call it before the track moves.
local function note_recovery(trackKey, track, update)
  local seenMs = seen_ms(track)
  if not seenMs or update.nowMs - seenMs <= RULES.staleAfterMs then return end
  if update.nowMs - update.refMs > RULES.staleAfterMs then return end
  pcall(function()
    local key = open_timeline(trackKey, track)
    note_silence(key, track, update.nowMs)
    add_entry(key, 'recovered', update.nowMs, 1)
  end)
end
