-- The trainerId in journey:active's JSON, or false where that cannot be read.
local function trainer_of(active)
  -- The service writes the ids first: matching them spares decoding. Another writer's order is decoded.
  local trainerId = string.match(active, '^{"sessionId":"[%x-]+","trainerId":"([%x-]+)"')
  if trainerId then return trainerId end
  local readable, journey = pcall(cjson.decode, active)
  return readable and type(journey) == 'table' and type(journey.trainerId) == 'string'
    and string.lower(journey.trainerId)
end
