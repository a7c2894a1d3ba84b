-- Refuses an update of anybody but the journey's trainer.
local function check_owner(active, keys, update)
  local trainerId = trainer_of(active)
  if not trainerId then return { 'corrupt', keys.active } end
  return trainerId ~= update.trainerId and { 'forbidden' } or nil
end
