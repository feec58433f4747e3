#!lua
-- Lets an idempotency key name a run, unless it names another one already.
-- KEYS: key. ARGV: now, run, hash, seconds it counts, ttl ms, run whose claim is void ('' if none).
local found = redis.call('HMGET', KEYS[1], 'run', 'hash', 'at')
local at = now(ARGV[1])
if found[1] and found[1] ~= ARGV[6] and tonumber(at) - tonumber(found[3]) < tonumber(ARGV[4]) then
  return {found[1], found[2]}
end
redis.call('HSET', KEYS[1], 'run', ARGV[2], 'hash', ARGV[3], 'at', at)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {ARGV[2], ARGV[3]}
