#!lua flags=allow-oom
--[[
  Records that a relay lives, also in a full Redis, and claims the pending events of relays that have died.

  KEYS
    1  journey:outbox
    2  journey:relays
  ARGV
    1  name of the consumer group
    2  this relay's consumer
    3  milliseconds without a heartbeat after which a relay is dead
    4  '1' to claim, or ''
  Returns
    how many events were claimed, or -1 if the last heartbeat was too long ago: Redis was unavailable or its clock has
    moved, so the heartbeats of the others say nothing
]]
-- include: clock
local outboxKey, relaysKey = KEYS[1], KEYS[2]
local group, own, deadAfterMs, mayClaim = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local MOST = 1000
-- Of processes of the version before, which send no heartbeats. A process that lives reads its events more often.
local ABANDONED_AFTER_MS = 60000

local function claim_from(consumer)
  local ids = {}
  for index, entry in ipairs(redis.call('XPENDING', outboxKey, group, '-', '+', MOST, consumer)) do ids[index] = entry[1] end
  local count = #ids
  ids[count + 1] = 'JUSTID'
  if count > 0 then redis.call('XCLAIM', outboxKey, group, own, 0, unpack(ids)) end
  -- Otherwise the next heartbeat claims the rest.
  if count < MOST then
    redis.call('XGROUP', 'DELCONSUMER', outboxKey, group, consumer)
    redis.call('ZREM', relaysKey, consumer)
  end
  return count
end

local nowMs = now_ms('')
local lastMs = redis.call('ZSCORE', relaysKey, own)
redis.call('ZADD', relaysKey, whole(nowMs), own)
if lastMs and math.abs(nowMs - lastMs) > deadAfterMs then return -1 end
if not mayClaim then return 0 end
local claimed = #redis.call('XAUTOCLAIM', outboxKey, group, own, ABANDONED_AFTER_MS, '0', 'COUNT', MOST, 'JUSTID')[2]
for _, consumer in ipairs(redis.call('ZRANGEBYSCORE', relaysKey, '-inf', whole(nowMs - deadAfterMs))) do
  claimed = claimed + claim_from(consumer)
end
return claimed
