-- A cached value, or false: one that cannot be read counts as none.
local function cached(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value
end
