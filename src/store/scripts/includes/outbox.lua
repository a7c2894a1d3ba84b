-- An event is recorded in the same step as the change it tells of. The id is made from a random seed of the caller's and
-- stays in the entry, so that it is the same in every repeat.
local function event_id(seed)
  local hex = redis.sha1hex(seed)
  return table.concat({
    string.sub(hex, 1, 8), string.sub(hex, 9, 12), '8' .. string.sub(hex, 14, 16),
    'a' .. string.sub(hex, 18, 20), string.sub(hex, 21, 32),
  }, '-')
end

local function record_event(outboxKey, detailType, atMs, detail)
  redis.call('XADD', outboxKey, 'MAXLEN', '~', RULES.outboxMaxLength, '*',
    'type', detailType, 'at', whole(atMs), 'detail', cjson.encode(detail))
end
