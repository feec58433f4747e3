#!lua
-- Keeps a run that was promised, and is still not there, from ever being made.
-- KEYS: record. ARGV: ttl ms.
if redis.call('HEXISTS', KEYS[1], 'created') == 1 then return {'exists'} end
redis.call('HSET', KEYS[1], 'void', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'ok'}
