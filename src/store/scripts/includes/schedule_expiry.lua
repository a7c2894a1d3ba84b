-- journey:expiries has each session with an active journey, by the millisecond at which that reaches its limit.
local function schedule_expiry(expiriesKey, sessionId, expiresAtMs)
  redis.call('ZADD', expiriesKey, whole(expiresAtMs), sessionId)
  redis.call('ZREM', old_expiries_key(expiriesKey), sessionId)
end
