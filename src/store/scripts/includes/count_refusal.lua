-- Counts refused updates in the timeline.

-- How support reads a refusal, and how far it was beyond the limit; nil where it is none of the journey's own phones.
local function refusal_name(word, track, update)
  if word == 'implausible' then
    local _, spareMs = way_between(track, update)
    return 'LOCATION_IMPLAUSIBLE speed', -spareMs * RULES.maxSpeedKmh / 3600
  elseif word == 'rate_limited' then
    -- Updates of this journey alone use the slot for one interval at most.
    local isOwn = update.lastCameMs and update.nowMs - update.lastCameMs < RULES.updateIntervalMs
    return isOwn and 'RATE_LIMITED tooFrequent' or 'RATE_LIMITED otherSession', 0
  elseif word == 'location_unknown' then
    return 'LOCATION_UNKNOWN noPosition', 0
  elseif word == 'stale' then
    if update.sequence and track.seq and update.sequence <= track.seq then
      return 'LOCATION_STALE sequence', track.seq - update.sequence
    end
    return 'LOCATION_STALE age', math.max(update.ageMs - RULES.oldestFixMs, (track.fixMs or 0) - update.refMs)
  end
end

local function note_refusal(trackKey, track, nowMs, name, over)
  pcall(function()
    local key = open_timeline(trackKey, track)
    count_entry(key, 'refused ' .. name, nowMs)
    redis.call('HSET', key, 'refusal', table.concat({ whole(nowMs), string.format('%.0f', over), name }, ' '))
  end)
end

-- Returns the refusal. A journey without a record is another version's.
local function count_refusal(keys, track, update, refusal)
  local name, over = refusal_name(refusal[1], track, update)
  if name and track.startMs then
    if refusal[1] == 'rate_limited' then over = refusal[2] end
    note_refusal(keys.track, track, update.nowMs, name, over)
  end
  return refusal
end
