#!lua
-- Stores a chunk of events, or refuses it whole; ends the run with it if there is an ending.
-- KEYS: record, events. ARGV: now, epoch, count, lines, tail acknowledged before, first offset of a
-- chunk whose answer was lost ('0' if none), ttl ms, status ('' while live), snapshot, events' ttl ms,
-- seconds after the end for which events are promised.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'tail', 'cancel')
if not found[1] then return {'missing'} end
local tail = tonumber(found[3])
local doubted = tonumber(ARGV[6])
if doubted > 0 and tail >= doubted then
  local one = redis.call('XRANGE', KEYS[2], place(doubted), place(doubted))[1]
  if one and one[2][2] == ARGV[2] and one[2][8] == ARGV[4] then
    return {'ok', doubted + tonumber(one[2][4]) - 1, one[2][6], found[4]}
  end
end
if tail < tonumber(ARGV[5]) then return {'lost', tail} end
if found[1] ~= ARGV[2] or found[2] ~= '' then return {'stale', found[1]} end
local at = now(ARGV[1])
local last = tail + tonumber(ARGV[3])
redis.call('XADD', KEYS[2], place(tail + 1), 'e', ARGV[2], 'n', ARGV[3], 'a', at, 'b', ARGV[4])
redis.call('HSET', KEYS[1], 'tail', last, 'at', at)
if tail == 0 then redis.call('PEXPIRE', KEYS[2], ARGV[7]) end
if ARGV[8] ~= '' then
  redis.call('HSET', KEYS[1], 'status', ARGV[8], 'ended', at, 'snapshot', ARGV[9],
    'gone', tonumber(at) + tonumber(ARGV[11]))
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
  redis.call('PEXPIRE', KEYS[2], ARGV[10])
end
return {'ok', last, at, found[4]}
