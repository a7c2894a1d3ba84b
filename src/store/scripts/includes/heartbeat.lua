-- Updates without a position: 'still' or the phone's problem.

-- The last position again: its age starts anew. The trainer stands, whatever the speed was.
local function record_still(keys, track, update, location)
  local stoodMs = update.nowMs
  local seenMs = seen_ms(track)
  local still = seenMs and still_seconds(track.still, 0, (stoodMs - seenMs) / 1000, 0) or 0
  track.still, track.stoodMs, track.problem = still > 0 and still or nil, stoodMs, nil
  track.fixMs = track.fixMs or stoodMs
  track.next = next_update_ms(nil, nil, still, update.stretch)
  -- JSON of a number, to the last digit, or '' for none.
  local function exact(number)
    return number and string.format('%.17g', number) or ''
  end
  local json = store_location(keys, track, {
    sessionId = update.sessionId, trainerId = update.trainerId, nowText = update.nowText, refMs = track.fixMs,
    latitudeText = exact(location.latitude), longitudeText = exact(location.longitude),
    accuracyText = exact(sane_number(location.accuracy)), speedText = '0',
    headingText = exact(sane_number(location.heading)), sequenceText = exact(sane_number(location.sequence)),
    isCoarse = is_coarse(sane_number(location.accuracy)),
  })
  notify_watchers(update.sessionId, json)
end

-- Nothing of the position changes. Watchers read the state, because they take a position's JSON for a new position.
local function record_problem(keys, track, update, stored)
  local isNew = track.problem ~= update.beat
  if stored then
    local json = string.gsub(stored, ',"problem":"%a+"', '')
    json = string.gsub(json, '}%s*$', ',"problem":"' .. update.beat .. '"}')
    isNew = json ~= stored
    if isNew then redis.call('SET', keys.location, json, 'KEEPTTL') end
  end
  track.problem = update.beat
  track.next = next_update_ms(nil, nil, track.still or 0, update.stretch)
  if not isNew then return end
  pcall(note, keys.track, track, update.nowMs, 'problem ' .. update.beat)
  notify_watchers(update.sessionId, 'problem')
end
