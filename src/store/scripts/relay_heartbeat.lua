#!lua flags=allow-oom
--[[
  Records that a relay lives, also in a full Redis, and claims the pending events of relays that have died.

  KEYS
    1  journey:outbox
    2  journey:relays
  ARGV
    1  name of the consumer group
    2  this relay's consumer
    3  milliseconds without a heartbeat after which a relay counts as dead
    4  '1' to claim, or ''
  Returns
    how many events were claimed, or -1 if this relay's own heartbeat was overdue: Redis was unavailable or its clock has
    moved, so the heartbeats of the others say nothing
]]
-- include: clock
local outboxKey, relaysKey = KEYS[1], KEYS[2]
local group, own, deadAfterMs, mayClaim = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local MOST_CLAIMED = 1000
-- Of the version before, which sends no heartbeats and reads its pending events at least every 30 s.
local OLD_DEAD_AFTER_IDLE_MS = 60000
local nowMs = now_ms('')

local function silent_ms(consumer)
  local lastMs = redis.call('ZSCORE', relaysKey, consumer)
  return lastMs and math.abs(nowMs - lastMs)
end

local function dead_consumers()
  local dead = {}
  for _, reply in ipairs(redis.call('XINFO', 'CONSUMERS', outboxKey, group)) do
    local info = {}
    for index = 1, #reply, 2 do info[reply[index]] = reply[index + 1] end
    local silentMs = silent_ms(info.name)
    local isDead = silentMs and silentMs > deadAfterMs or not silentMs and info.idle > OLD_DEAD_AFTER_IDLE_MS
    if isDead and info.name ~= own then dead[#dead + 1] = info.name end
  end
  return dead
end

local function claim_from(consumer)
  local ids = {}
  for index, entry in ipairs(redis.call('XPENDING', outboxKey, group, '-', '+', MOST_CLAIMED, consumer)) do
    ids[index] = entry[1]
  end
  local count = #ids
  ids[count + 1] = 'JUSTID'
  if count > 0 then redis.call('XCLAIM', outboxKey, group, own, 0, unpack(ids)) end
  -- Otherwise the next heartbeat claims the rest.
  if count < MOST_CLAIMED then
    redis.call('XGROUP', 'DELCONSUMER', outboxKey, group, consumer)
    redis.call('ZREM', relaysKey, consumer)
  end
  return count
end

local ownSilentMs = silent_ms(own)
redis.call('ZADD', relaysKey, whole(nowMs), own)
if ownSilentMs and ownSilentMs > deadAfterMs then return -1 end
local claimed = 0
if mayClaim then
  for _, consumer in ipairs(dead_consumers()) do claimed = claimed + claim_from(consumer) end
end
return claimed
