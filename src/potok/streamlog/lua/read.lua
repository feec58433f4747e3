#!lua flags=no-writes
-- Reads the chunks that hold what follows an offset, and where the run is at that moment.
-- KEYS: record, events. ARGV: now, after, most events, most bytes.
local found = redis.call('HMGET', KEYS[1], 'tail', 'first', 'status', 'lost', 'gone')
if not found[1] then return {'missing'} end
local tail, after = tonumber(found[1]), tonumber(ARGV[2])
local is_gone = found[5] and tonumber(now(ARGV[1])) >= tonumber(found[5])
local head = {'ok', tail, tonumber(found[2]), found[3], found[4] or '', is_gone and 1 or 0, {}}
if found[4] or after < 0 or after >= tail or after + 1 < tonumber(found[2]) then return head end
local chunks = head[7]
local start = redis.call('XREVRANGE', KEYS[2], place(after + 1), '-', 'COUNT', 1)[1]
if not start then return head end
local from, events, bytes = start[1], tonumber(start[1]:match('^%d+')) - after - 1, 0
while true do
  local page = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 32)
  for _, chunk in ipairs(page) do
    chunks[#chunks + 1] = chunk
    events = events + tonumber(chunk[2][4])
    bytes = bytes + #chunk[2][8]
    if events >= tonumber(ARGV[3]) or bytes > tonumber(ARGV[4]) then return head end
  end
  if #page < 32 then return head end
  from = '(' .. page[32][1]
end
