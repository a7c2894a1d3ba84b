#!lua flags=allow-oom
--[[
  Deletes events that are published or rejected from the outbox, also in a full Redis: it makes room.

  KEYS
    1  journey:outbox
    2  journey:outbox:dead
  ARGV
    1  name of the consumer group
    2  why EventBridge rejected them, which makes them dead letters, or ''
    and the ids of the events
]]
local outboxKey, deadLettersKey = KEYS[1], KEYS[2]
local group, reason, ids = ARGV[1], ARGV[2], { unpack(ARGV, 3) }

local function dead_letter(id)
  local entry = redis.call('XRANGE', outboxKey, id, id)[1]
  -- Trimmed from the outbox while pending.
  if not entry then return end
  local fields = entry[2]
  fields[#fields + 1], fields[#fields + 2] = 'reason', reason
  redis.call('XADD', deadLettersKey, 'MAXLEN', '~', RULES.deadLettersMaxLength, '*', unpack(fields))
end

if reason ~= '' then
  for _, id in ipairs(ids) do dead_letter(id) end
end
redis.call('XACK', outboxKey, group, unpack(ids))
redis.call('XDEL', outboxKey, unpack(ids))
return #ids
