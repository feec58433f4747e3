#!lua
-- Adds an attempt, a line of JSON. KEYS: record. ARGV: epoch, attempt, '1' if a repetition.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'attempts')
if not found[1] then return {'missing'} end
if found[1] ~= ARGV[1] or found[2] ~= '' then return {'stale', found[1]} end
local attempts, line = found[3] or '', ARGV[2] .. '\n'
if ARGV[3] == '1' and attempts:sub(-#line) == line then return {'ok'} end
redis.call('HSET', KEYS[1], 'attempts', attempts .. line)
return {'ok'}
