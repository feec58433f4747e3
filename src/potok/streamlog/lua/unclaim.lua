#!lua flags=allow-oom
-- Forgets an idempotency key if it still names the run. KEYS: key. ARGV: run.
if redis.call('HGET', KEYS[1], 'run') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {'ok'}
