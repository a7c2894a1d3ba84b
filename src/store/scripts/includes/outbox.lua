-- A UUID (version 8) from the caller's random seed. It is stored with the event: every repeat has the same.
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
