--[[
  Finds the first answer to a start, or the active journey; changes nothing.

  KEYS
    1  journey:active
    2  journey:track
    3  the first answer to this Idempotency-Key, or the same as 1 without one
  ARGV
    1  '1' with an Idempotency-Key, or ''
  Returns
    {'replayed', JSON of the first answer}
    {'already_active', journey:active's JSON, last sequence or ''}
    {'none'}
]]
-- include: clock
-- include: old_track
-- include: cached
-- include: track
-- include: last_sequence
-- include: idempotency
local activeKey, trackKey, firstAnswerKey = KEYS[1], KEYS[2], ARGV[1] == '1' and KEYS[3]

local first = first_answer(firstAnswerKey)
if first then return { 'replayed', first } end
local active = redis.call('GET', activeKey)
if not active then return { 'none' } end
return { 'already_active', active, last_sequence(trackKey, active) }
