-- A cached value, or false: a cache that cannot be read is a cache that is empty.
local function cached(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value
end
