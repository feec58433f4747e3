#!lua flags=no-writes
-- Sorts the workers into the living and the dead. KEYS: leases. ARGV: now.
local at = now(ARGV[1])
return {
  at,
  redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. at, '+inf'),
  redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at),
}
