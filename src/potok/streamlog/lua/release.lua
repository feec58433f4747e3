#!lua flags=allow-oom
-- Ends a worker's lease; it stays known for as long as it has runs. KEYS: leases. ARGV: worker.
redis.call('ZADD', KEYS[1], 'XX', 0, ARGV[1])
return {'ok'}
