#!lua flags=allow-oom
-- Forgets a dead worker that has no runs left. KEYS: leases, its runs. ARGV: now, worker, longest
-- lease in seconds.
local lease = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not lease or redis.call('ZCARD', KEYS[2]) > 0 then return {'ok'} end
local left = tonumber(lease) - tonumber(now(ARGV[1]))
if left <= 0 or left > tonumber(ARGV[3]) then redis.call('ZREM', KEYS[1], ARGV[2]) end
return {'ok'}
