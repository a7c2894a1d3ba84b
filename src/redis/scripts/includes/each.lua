-- Answers the positions or polls of one call one by one. An error in one is its own, {'failed', what Redis said}, and
-- not the others'; but that of a Redis which may not write is the connection's, which has to look for another.
local function each(items, answer)
  local replies = {}
  for item = 1, items do
    local done, reply = pcall(answer, item)
    if not done then
      -- Before Redis 7 an error is a text.
      local text = type(reply) == 'table' and reply.err or tostring(reply)
      if string.find(text, 'READONLY', 1, true) then error(reply) end
      reply = { 'failed', text }
    end
    replies[item] = reply
  end
  return replies
end
