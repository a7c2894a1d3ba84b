-- GCRA (ITU-T I.371): the rate key has the theoretical arrival time of the next update. Uses the slot unless refused.
-- shiftMs: how far Redis' clock has stepped back.
local function check_rate(rateKey, nowMs, shiftMs)
  local arrivalMs = (tonumber(cached(rateKey)) or nowMs) - shiftMs
  -- Farther ahead than the service writes: another's value.
  if not (arrivalMs <= nowMs + RULES.updateIntervalMs + RULES.updateToleranceMs) then arrivalMs = nowMs end
  local waitMs = arrivalMs - RULES.updateToleranceMs - nowMs
  if waitMs > 0 then return { 'rate_limited', waitMs } end
  arrivalMs = math.max(nowMs, arrivalMs) + RULES.updateIntervalMs
  redis.call('SET', rateKey, whole(arrivalMs), 'PX', whole(arrivalMs - nowMs))
end
