--[[
  Counts an update that was refused before it came to record_positions, for support.

  KEYS
    1  journey:active
    2  journey:track
  ARGV
    1  the time in ms, or '' for Redis' own clock
    2  trainerId of the caller
    3  the error code
  Returns
    {'counted'}
    {'not_counted'}  there is no such journey of this trainer
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: trainer_of
-- include: timeline
local activeKey, trackKey = KEYS[1], KEYS[2]
local nowMs, trainerId, code = now_ms(ARGV[1]), ARGV[2], ARGV[3]

local active = cached(activeKey)
local track = active and trainer_of(active) == trainerId and parse_track(cached(trackKey))
if not track or not is_of_journey(track, active) then return { 'not_counted' } end
note(trackKey, track, nowMs, 'refused ' .. code .. ' input')
return { 'counted' }
