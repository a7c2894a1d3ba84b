local function cancel_expiry(expiriesKey, sessionId)
  redis.call('ZREM', expiriesKey, sessionId)
  redis.call('ZREM', old_expiries_key(expiriesKey), sessionId)
end

-- A key may expire a little before the time by which the service knows it.
local ALMOST_MS = 100

-- Whether journey:ended is of this journey. Another version may have written no startedAt.
local function is_marked_ended(endedKey, track)
  local ended = cached(endedKey)
  return ended and is_of_journey(track, ended)
end

local function is_due(expiriesKey, sessionId, nowMs)
  local expiresAtMs = tonumber(redis.call('ZSCORE', expiriesKey, sessionId))
  return expiresAtMs ~= nil and expiresAtMs <= nowMs
end
