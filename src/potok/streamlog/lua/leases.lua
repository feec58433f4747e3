#!lua flags=no-writes
-- Sorts the workers into the living and the dead. KEYS: leases. ARGV: now, longest lease in seconds.
-- A lease beyond that is of a time that the clock has gone back from: its worker may be long dead.
local at = now(ARGV[1])
local last = string.format('%.6f', tonumber(at) + tonumber(ARGV[2]))
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at)
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. last, '+inf')) do
  dead[#dead + 1] = worker
end
return {at, redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. at, last), dead}
