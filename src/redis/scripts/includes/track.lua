-- A task may sweep up late (all of them down, say); by then the record must still be there.
local TRACK_OUTLIVES_SECONDS = 86400

-- journey:track:<sessionId> is the service's own record of a journey. It outlives journey:active, so that a journey
-- that ran into its limit can still be told and ended, and remembers the last sequence longer than the location lives.
-- Format: '<sequence|-> <sequenceAtMs|-> <fixMs|-> <trainerId> <studentId> <startedAtMs> <expiresAtMs>'
local function parse_track(track)
  local sequence, sequenceAtMs, fixMs, identity =
    string.match(track or '', '^(%S+) (%S+) (%S+)( %S+ %S+ %d+ %d+)$')
  if not sequence then return nil end
  local trainerId, studentId, startedAtMs, expiresAtMs = string.match(identity, '^ (%S+) (%S+) (%d+) (%d+)$')
  return {
    sequence = sequence ~= '-' and sequence or nil,
    sequenceAtMs = tonumber(sequenceAtMs),
    fixMs = tonumber(fixMs),
    identity = identity,
    trainerId = trainerId,
    studentId = studentId,
    startedAtMs = tonumber(startedAtMs),
    expiresAtMs = tonumber(expiresAtMs),
  }
end

local function format_track(sequence, sequenceAtMs, fixMs, identity)
  return (sequence or '-') .. ' ' .. (sequenceAtMs and whole(sequenceAtMs) or '-') .. ' '
    .. (fixMs and whole(fixMs) or '-') .. identity
end

local function identity_of(trainerId, studentId, startedAtMs, expiresAtMs)
  return ' ' .. trainerId .. ' ' .. studentId .. ' ' .. whole(startedAtMs) .. ' ' .. whole(expiresAtMs)
end

-- When the journey of journey:active's JSON started, or nil.
local function started_at_ms(active)
  local readable, journey = pcall(cjson.decode, active or '')
  return readable and type(journey) == 'table' and ms_of_iso(journey.startedAt) or nil
end
