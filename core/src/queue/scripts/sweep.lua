-- Lets dead letters end after their time, a bounded number per call.
-- Keeps true: nothing in the queue stays for ever.
-- ARGV: serial, lifetime ms, chunk. Returns how many went.
local old = redis.call('ZRANGEBYSCORE', prefix .. 'dead', '-inf', int(now_ms() - tonumber(ARGV[2])), 'LIMIT', 0, tonumber(ARGV[3]))
for _, id in ipairs(old) do
  redis.call('ZREM', prefix .. 'dead', id)
  redis.call('DEL', job_key(id))
end
return #old
