#!lua
-- Notes which runs a worker makes. KEYS: leases, the worker's runs. ARGV: now, worker, ttl ms, runs.
redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[2])
local at = now(ARGV[1])
for one = 4, #ARGV do redis.call('ZADD', KEYS[2], at, ARGV[one]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {'ok'}
