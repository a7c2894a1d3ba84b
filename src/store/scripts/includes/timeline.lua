-- journey:timeline:<sessionId> is what support sees of a journey beside its record, without coordinates, until a day after
-- its end. It is written only when something is wrong, and at the end. JSON with these fields:
--   startMs                          identifies the journey
--   counts                           how often each name was noted
--   entries                          the newest of them, see note
--   endMs, trainerId, studentId, track  after the end; track: see track_summary.lua
-- Names: refused <code> <reason>, reanchored, recovered, problem <problem>, staleSeen, arrived <role>, cancelled <role>,
-- timeout. A reader skips those that it does not know.
local TIMELINE_OUTLIVES_MS = 86400000
-- With what the reader adds, support sees 50 at most.
local MOST_ENTRIES = 40

-- Notes what has happened. The same within a minute counts for one entry:
--   name, at, last, count    ms of the first and of the last
--   got                      updates accepted before the first
--   over                     metres, ms or numbers beyond the limit, of the last
-- fromMs: when it began, if not now. Returns the timeline and its key. Call it with pcall: it must not change what a call
-- answers.
local function note(trackKey, track, nowMs, name, over, fromMs)
  local key = string.gsub(trackKey, 'journey:track:', 'journey:timeline:')
  local readable, timeline = pcall(cjson.decode, cached(key) or '')
  if not readable or type(timeline) ~= 'table' or timeline.startMs ~= track.startMs then
    timeline = { startMs = track.startMs, counts = {}, entries = {} }
  end
  local entries, entry = timeline.entries, nil
  timeline.counts[name] = (timeline.counts[name] or 0) + 1
  -- Refusals of several kinds may alternate.
  for number = #entries, math.max(1, #entries - 3), -1 do
    local isSame = entries[number].name == name and nowMs - entries[number].last <= RULES.staleAfterMs
    if isSame then entry = entries[number] end
  end
  if not entry then
    entry = { name = name, at = fromMs or nowMs, count = 0, got = track.got or 0 }
    table.insert(entries, entry)
    if #entries > MOST_ENTRIES then table.remove(entries, 1) end
  end
  entry.last, entry.count, entry.over = nowMs, entry.count + 1, over
  local ttlMs = math.max(0, track.endMs - nowMs) + TIMELINE_OUTLIVES_MS
  redis.pcall('SET', key, cjson.encode(timeline), 'PX', whole(ttlMs))
  return timeline, key
end
