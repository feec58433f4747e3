#!lua flags=allow-oom
-- Puts a run before its worker as one that shall end. KEYS: cancels. ARGV: run, ttl ms.
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'ok'}
