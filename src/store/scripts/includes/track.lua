-- journey:track:<sessionId> is the service's own record of a journey, MessagePack with these fields:
--   trainerId, studentId, startMs, endMs
--   homeLat, homeLon             if the session has a home
--   nearby                       when TrainerNearby was recorded; true where an earlier version did
--   got, firstMs                 how many updates were accepted, and when the first position was
--   seq, seqMs                   the last sequence, and when it came
--   at                           when the last update came, if not at seqMs; early: the phone comes sooner than asked
--   fixMs                        the last fix
--   stoodMs                      when the phone last reported that it has not moved since that
--   beat, beatSeq                the last heartbeat with a sequence, see heartbeat.lua
--   problem                      of the last heartbeat, if no position has come since
--   lat, lon, acc, refMs, late   the reference, the last accepted fix that was not coarse: degrees, metres, ms
--   run                          plausible fixes in a row up to the reference, until they are enough to confirm it
--   tries                        refused fixes since the reference; see judge.lua
--   conf                         the last confirmed fix, while the trainer cannot have come from there to the reference
--   closing, pace, spread, secs  see approach.lua
--   still, next                  seconds of standing, ms until the next update; see cadence.lua
-- Names are short, because each record repeats them.
-- What is unknown is nil. The record outlives journey:active, so that a journey that reached its limit can still be
-- ended, and the location, so that the last sequence is remembered.
local TRACK_OUTLIVES_MS = 86400000

-- The record, or nil where there is none that can be read.
local function parse_track(record)
  if not record then return nil end
  if is_old_track(record) then return parse_old_track(record) end
  local readable, track = pcall(cmsgpack.unpack, record)
  local isTrack = readable and type(track) == 'table' and type(track.trainerId) == 'string'
    and type(track.studentId) == 'string' and type(track.startMs) == 'number'
    and type(track.endMs) == 'number'
  return isTrack and track or nil
end

local function create_track(trackKey, track, nowMs)
  redis.call('SET', trackKey, cmsgpack.pack(track), 'PX', whole(track.endMs - nowMs + TRACK_OUTLIVES_MS))
end

local function update_track(trackKey, track)
  redis.call('SET', trackKey, cmsgpack.pack(track), 'KEEPTTL')
end

-- Whether the record is of the journey of journey:active's or journey:ended's JSON, or of one whose start cannot be read.
local function is_of_journey(track, json)
  -- The time of day suffices to spare decoding: a record lives for about a day.
  local ms = track.startMs % 86400000
  local time = string.format('T%02d:%02d:%02d.%03dZ"', ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000)
  if not json or string.find(json, time, 1, true) then return true end
  local readable, journey = pcall(cjson.decode, json)
  local startedMs = readable and type(journey) == 'table' and ms_of_iso(journey.startedAt)
  return not startedMs or startedMs == track.startMs
end
