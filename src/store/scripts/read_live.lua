--[[
  Reads all that students' polls need; changes nothing.

  KEYS  of each poll
        1 journey:active  2 journey:ended  3 journey:track  4 session:meta  5 the mark of a session that does not exist
  ARGV  1 clock override  2 location key prefix  and of each poll
        1 sessionId
  Returns  of each poll
           {'active', nowMs, journey:active's JSON, the location's JSON or nil, session:meta's where it has the home}
           {'not_active', nowMs, session:meta's JSON or nil, 1 where the session is known not to exist or 0}
           {'failed', what Redis said}  or what not_active says of an ended or an overdue journey
]]
-- include: clock
-- include: track
-- include: cached
-- include: not_active
-- include: each
local nowMs, locationPrefix = now_ms(ARGV[1]), ARGV[2]
local KEYS_EACH, ARGV_BEFORE = 5, 2

local function read_live(poll)
  local keysBefore, sessionId = KEYS_EACH * (poll - 1), ARGV[ARGV_BEFORE + poll]
  local activeKey, endedKey, trackKey, metaKey, missingKey = unpack(KEYS, keysBefore + 1, keysBefore + KEYS_EACH)
  local active = redis.call('GET', activeKey)
  if active then
    -- The service writes the ids first, so matching the beginning spares decoding; another writer's order is decoded.
    local trainerId = string.match(active, '^{"sessionId":"[%x-]+","trainerId":"([%x-]+)"')
    if not trainerId then
      local readable, journey = pcall(cjson.decode, active)
      trainerId = readable and type(journey) == 'table' and type(journey.trainerId) == 'string'
        and string.lower(journey.trainerId)
    end
    local location = trainerId and redis.call('GET', locationPrefix .. trainerId .. ':session:' .. sessionId)
    -- A journey that another version wrote has the home in the session's metadata alone.
    local hasHome = string.find(active, '"studentHomeLocation"', 1, true)
    return { 'active', nowMs, active, location or false, not hasHome and cached(metaKey) }
  end
  local answer = not_active(endedKey, trackKey, nowMs)
  if answer[1] == 'not_active' then
    answer[3] = cached(metaKey)
    answer[4] = redis.call('EXISTS', missingKey)
  end
  return answer
end

return each(#KEYS / KEYS_EACH, read_live)
