#!lua
-- Stores a new run, unless its name was made void meanwhile.
-- KEYS: record. ARGV: now, ttl ms, '1' if this may be a repetition, worker, then fields and values.
local there = redis.call('HMGET', KEYS[1], 'created', 'worker', 'void')
if there[3] then return {'void'} end
if there[1] then
  if ARGV[3] == '1' and there[2] == ARGV[4] then return {'ok', there[1]} end
  return {'exists'}
end
local at = now(ARGV[1])
redis.call('HSET', KEYS[1], 'created', at, 'at', at, 'epoch', 1, 'worker', ARGV[4],
  'tail', 0, 'first', 1, 'status', '', unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'ok', at}
