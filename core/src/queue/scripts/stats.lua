-- Looks at a queue without changing it; the age of the oldest waiting job is that of the oldest head among the first 100 groups.
-- ARGV: serial. Returns ready, delayed, running, dead, alone, oldest ms, processes, slots, groups.
local count = redis.call('HMGET', prefix .. 'count', 'ready', 'running')
local now, oldest = now_ms(), 0
for _, group in ipairs(redis.call('LRANGE', prefix .. 'ring', 0, 99)) do
  local id = redis.call('LINDEX', prefix .. 'ready:' .. group, 0)
  local enq = id and redis.call('HGET', job_key(id), 'enq')
  if enq then oldest = math.max(oldest, now - tonumber(enq)) end
end
local slots = 0
for _, n in ipairs(redis.call('HVALS', prefix .. 'slots')) do slots = slots + tonumber(n) end
return {tonumber(count[1] or '0'), redis.call('ZCARD', prefix .. 'delayed'), tonumber(count[2] or '0'), redis.call('ZCARD', prefix .. 'dead'),
  redis.call('LLEN', prefix .. 'alone'), oldest, redis.call('ZCARD', prefix .. 'beats'), slots, redis.call('LLEN', prefix .. 'ring')}
