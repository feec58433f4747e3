#!lua flags=allow-oom
-- Sets a flag of a live run; nothing changes for an ended one. KEYS: record. ARGV: flag.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'worker')
if not found[1] then return {'missing'} end
if found[2] == '' then redis.call('HSET', KEYS[1], ARGV[1], 1) end
return {'ok', found[2], found[3]}
