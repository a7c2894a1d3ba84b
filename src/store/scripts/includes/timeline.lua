-- journey:timeline:<sessionId> is what support sees of a journey beside its record, without coordinates, until a day after
-- its end. It is written when something is wrong, and at the end. A hash:
--   startMs       identifies the journey
--   entry         the number of the newest entry
--   <number>      an entry: "<ms of the first> <ms of the last> <count> <name>"
--   count <name>  how often that has happened
--   refusal       the last one: "<ms> <metres, ms or numbers beyond the limit> <name>"
--   and after the end: endMs, trainerId, studentId, firstMs, nearbyMs, accepted, sequence, as in track.lua
-- Names: refused <code> <reason>, reanchored, stale, recovered, problem <problem>, arrived, expired, cancelled <role>.
local TIMELINE_OUTLIVES_MS = 86400000
-- With the start and the first fix, which are not entries, support sees 50 at most.
local MOST_ENTRIES = 48
local COUNTED = { refused = true, reanchored = true, stale = true, problem = true }
local LOOK_BACK = 10

-- Begins it anew where it is of an earlier journey of the session. Returns its key.
local function open_timeline(trackKey, track)
  local key = string.gsub(trackKey, 'journey:track:', 'journey:timeline:')
  if redis.call('HGET', key, 'startMs') ~= whole(track.startMs) then
    redis.call('DEL', key)
    redis.call('HSET', key, 'startMs', whole(track.startMs))
    redis.call('PEXPIRE', key, whole(RULES.journeyTtlSeconds * 1000 + TIMELINE_OUTLIVES_MS))
  end
  return key
end

local function set_entry(key, number, firstMs, lastMs, count, name)
  redis.call('HSET', key, number, table.concat({ whole(firstMs), whole(lastMs), whole(count), name }, ' '))
end

local function add_entry(key, name, atMs, count)
  local number = redis.call('HINCRBY', key, 'entry', 1)
  set_entry(key, number, atMs, atMs, count, name)
  if number > MOST_ENTRIES then redis.call('HDEL', key, number - MOST_ENTRIES) end
end

-- The newest entry that counts the same, if nothing else but counted ones came after it: its number, first ms, last ms
-- and count.
local function find_counted(key, name)
  local newest = tonumber(redis.call('HGET', key, 'entry')) or 0
  for number = newest, math.max(1, newest - LOOK_BACK), -1 do
    local firstMs, lastMs, count, known =
      string.match(redis.call('HGET', key, number) or '', '^(%d+) (%d+) (%d+) (.+)$')
    if known == name then return number, firstMs, lastMs, count end
    if not known or not COUNTED[string.match(known, '^%a+')] then return nil end
  end
end

-- Entries that come within a minute of each other become one.
local function count_entry(key, name, atMs)
  redis.call('HINCRBY', key, 'count ' .. name, 1)
  local number, firstMs, lastMs, count = find_counted(key, name)
  if number and atMs - lastMs <= RULES.staleAfterMs then set_entry(key, number, firstMs, atMs, count + 1, name)
  else add_entry(key, name, atMs, 1) end
end

-- Notes that the position became stale, unless a student has seen that already.
local function note_silence(key, track, nowMs)
  local seenMs = seen_ms(track)
  local isSilent = seenMs and nowMs - seenMs > RULES.staleAfterMs
  if isSilent and not find_counted(key, 'stale') then add_entry(key, 'stale', seenMs + RULES.staleAfterMs, 0) end
  return isSilent
end

-- The timeline must not change what a call answers, so a failing write is ignored.
local function count_in_timeline(trackKey, track, name, atMs)
  pcall(function() count_entry(open_timeline(trackKey, track), name, atMs) end)
end
