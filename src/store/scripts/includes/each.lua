-- Answers the positions or polls of one call one by one. An error in one is its own, {'failed', what Redis said}, and
-- not the others'; but that of a Redis which may not write is the whole call's: the connection has to look for another.
local function each(items, answer)
  local replies = {}
  for item = 1, items do
    local done, reply = pcall(answer, item)
    if not done then
      -- What pcall tells of Redis' own errors is a text or a table, by the version of Redis.
      local text = type(reply) == 'table' and reply.err or tostring(reply)
      -- Returned and not raised: raised, it would no longer begin with its code, by which the caller knows it.
      if string.find(text, 'READONLY', 1, true) then return redis.error_reply(string.match(text, 'READONLY.*')) end
      reply = { 'failed', text }
    end
    replies[item] = reply
  end
  return replies
end
