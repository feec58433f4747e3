#!lua flags=allow-oom
-- Ends a run whose events the store lost, and makes its record again if that is gone too.
-- KEYS: record, events. ARGV: now, epoch, ttl ms, status, snapshot, tail, then fields and values.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'lost')
if found[3] then return {'ok', now(ARGV[1])} end
if found[1] and (found[1] ~= ARGV[2] or found[2] ~= '') then return {'stale', found[1]} end
local at = now(ARGV[1])
if not found[1] then
  redis.call('HSET', KEYS[1], 'created', at, 'first', 1, unpack(ARGV, 7))
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'at', at, 'ended', at, 'status', ARGV[4],
  'snapshot', ARGV[5], 'tail', ARGV[6], 'lost', 1)
redis.call('DEL', KEYS[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'ok', at}
