--[[
  Reads what students' polls need; changes nothing.

  KEYS for each poll
    1  journey:active
    2  journey:ended
    3  journey:track
    4  session:meta
    5  session:missing
  ARGV
    1  the time in ms, or '' for Redis' own clock
    2  prefix of location keys
    and for each poll
    1  sessionId
  Returns for each poll
    {'active', nowMs, journey:active, the location or nil, session:meta where journey:active has no home, or nil,
      without a location the phone's problem, or nil}
    {'not_active', nowMs, session:meta or nil, 1 where the session is known not to exist, or 0}
    {'failed', error}
    or what not_active returns of an ended or overdue journey
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: not_active
-- include: trainer_of
-- include: each
local KEYS_EACH, ARGV_SHARED = 5, 2
local nowMs, locationPrefix = now_ms(ARGV[1]), ARGV[2]

-- With a location it is in there.
local function problem_of(trackKey, active)
  local track = parse_track(cached(trackKey))
  return track and track.problem and is_of_journey(track, active) and track.problem
end

local function read_live(poll)
  local sessionId = ARGV[ARGV_SHARED + poll]
  local activeKey, endedKey, trackKey, metaKey, missingKey =
    unpack(KEYS, KEYS_EACH * (poll - 1) + 1, KEYS_EACH * poll)
  local active = redis.call('GET', activeKey)
  if not active then
    local reply = not_active(endedKey, trackKey, nowMs)
    if reply[1] == 'not_active' then reply[3], reply[4] = cached(metaKey), redis.call('EXISTS', missingKey) end
    return reply
  end
  local trainerId = trainer_of(active)
  local location = trainerId and redis.call('GET', locationPrefix .. trainerId .. ':session:' .. sessionId)
  -- Another version may have the home in session:meta alone, or in a form of its own.
  local hasHome = string.find(active, '"studentHomeLocation":{"latitude":', 1, true)
  return { 'active', nowMs, active, location or false, not hasHome and cached(metaKey),
    not location and problem_of(trackKey, active) or false }
end

return each(#KEYS / KEYS_EACH, read_live)
