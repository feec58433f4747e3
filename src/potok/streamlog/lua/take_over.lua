#!lua
-- Gives a live run the next epoch and another writer.
-- KEYS: record. ARGV: epoch, worker before, worker now, '1' if a repetition.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'worker')
if not found[1] then return {'missing'} end
local epoch = tonumber(ARGV[1])
if ARGV[4] == '1' and tonumber(found[1]) == epoch + 1 and found[3] == ARGV[3] then return {'ok'} end
if found[1] ~= ARGV[1] or found[2] ~= '' or found[3] ~= ARGV[2] then return {'stale', found[1]} end
redis.call('HSET', KEYS[1], 'epoch', epoch + 1, 'worker', ARGV[3])
return {'ok'}
