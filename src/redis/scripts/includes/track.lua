-- journey:track:<sessionId> is the service's own record of a journey. It outlives journey:active, so that a journey
-- that ran into its limit can still be told and ended, and remembers the last sequence longer than the location lives.
-- '<sequence|-> <sequenceAtMs|-> <fixMs|-> <trainerId> <studentId> <startedAtMs> <expiresAtMs>'
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
