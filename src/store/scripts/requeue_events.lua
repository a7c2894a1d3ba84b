--[[
  Moves dead letters back to the outbox, as new entries: they are published or rejected anew.

  KEYS
    1  journey:outbox:dead
    2  journey:outbox
  ARGV
    the ids of the dead letters

  Returns how many there were.
]]
local deadLettersKey, outboxKey = KEYS[1], KEYS[2]

local function without_reason(fields)
  local event = {}
  for index = 1, #fields, 2 do
    if fields[index] ~= 'reason' then
      event[#event + 1], event[#event + 2] = fields[index], fields[index + 1]
    end
  end
  return event
end

local requeued = 0
for _, id in ipairs(ARGV) do
  local letter = redis.call('XRANGE', deadLettersKey, id, id)[1]
  if letter then
    redis.call('XADD', outboxKey, 'MAXLEN', '~', RULES.outboxMaxLength, '*', unpack(without_reason(letter[2])))
    requeued = requeued + redis.call('XDEL', deadLettersKey, id)
  end
end
return requeued
