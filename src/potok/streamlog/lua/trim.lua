#!lua flags=allow-oom
-- Removes the events of a run that ended before a time, or all of it.
-- KEYS: record, events. ARGV: 'events' or 'record', the time. Answers whether it had events.
local found = redis.call('HMGET', KEYS[1], 'ended', 'tail', 'first', 'principal', 'key')
if not found[2] then return {'missing'} end
if not found[1] or tonumber(found[1]) >= tonumber(ARGV[2]) then return {'young'} end
local had = tonumber(found[3]) <= tonumber(found[2]) and 1 or 0
if ARGV[1] == 'record' then
  redis.call('DEL', KEYS[1], KEYS[2])
else
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'first', tonumber(found[2]) + 1)
end
return {'ok', had, found[4], found[5] or ''}
