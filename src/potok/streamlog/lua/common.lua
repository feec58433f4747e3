-- Stands before every script. `given` is a time for tests; '' asks the store's own clock.
local function now(given)
  if given ~= '' then return given end
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

local function place(offset)
  return string.format('%d-0', offset)
end
