-- Notifies watchers of a session's journey of a position (its JSON), 'started' or 'ended'.
-- Not redis.call: a user without rights for the channel must not fail a call that has written.
local function notify_watchers(sessionId, change)
  redis.pcall('PUBLISH', RULES.changesPrefix .. sessionId, change)
end
