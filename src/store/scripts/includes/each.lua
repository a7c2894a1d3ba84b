-- Answers each position or poll of a call. An error fails its own item with {'failed', error}, except READONLY, which
-- fails the call: the client has to connect to the new primary.
local function each(items, answer)
  local replies = {}
  for item = 1, items do
    local done, reply = pcall(answer, item)
    if not done then
      -- A table or a text, depending on Redis' version.
      local text = type(reply) == 'table' and reply.err or tostring(reply)
      -- Returned, because an error that is raised does not begin with its code.
      if string.find(text, 'READONLY', 1, true) then return redis.error_reply(string.match(text, 'READONLY.*')) end
      reply = { 'failed', text }
    end
    replies[item] = reply
  end
  return replies
end
