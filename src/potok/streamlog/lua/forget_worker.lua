#!lua flags=allow-oom
-- Forgets a dead worker that has no runs left. KEYS: leases, its runs. ARGV: now, worker.
local lease = redis.call('ZSCORE', KEYS[1], ARGV[2])
if lease and tonumber(lease) <= tonumber(now(ARGV[1])) and redis.call('ZCARD', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return {'ok'}
