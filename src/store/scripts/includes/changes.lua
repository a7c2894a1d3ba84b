-- Notifies watchers of a session's journey of a position (its JSON), 'started' or 'ended'.
-- src/store/keys.ts names the channel too.
local function notify_watchers(sessionId, change)
  redis.call('PUBLISH', 'journey:changes:' .. sessionId, change)
end
