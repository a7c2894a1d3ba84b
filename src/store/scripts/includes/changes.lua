-- Tells whoever waits for this session's journey: a position's JSON, 'started' or 'ended'. The channel is named in
-- src/store/keys.ts as well.
local function tell_watchers(sessionId, change)
  redis.call('PUBLISH', 'journey:changes:' .. sessionId, change)
end
