#!lua flags=allow-oom
-- Keeps a worker's lease. KEYS: leases, the worker's runs. ARGV: now, worker, seconds, ttl ms.
local at = now(ARGV[1])
redis.call('ZADD', KEYS[1], tonumber(at) + tonumber(ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {at, redis.call('ZCARD', KEYS[2])}
