-- The first answer to a call with an Idempotency-Key; key: false without one.
local function first_answer(key)
  return key and redis.call('GET', key)
end

local function remember_answer(key, answer)
  if not key then return end
  redis.call('SET', key, cjson.encode(answer), 'EX', RULES.journeyTtlSeconds + RULES.endedTtlSeconds)
end
