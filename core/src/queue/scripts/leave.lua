-- A process goes for good: what it still holds goes back to the head of its groups, a bounded number per call, without a death.
-- Keeps true: a clean stop is not a crash, and a stopped process is not waited for.
-- ARGV: serial, process, chunk. Returns how many it still holds.
local process = ARGV[2]
local held = redis.call('ZREVRANGE', prefix .. 'held:' .. process, 0, tonumber(ARGV[3]) - 1)
for _, id in ipairs(held) do
  local job = redis.call('HMGET', job_key(id), 'group', 'by')
  if job[1] and job[2] == process then
    release(id, job[1], process)
    enqueue(id, job[1], true)
  else
    redis.call('ZREM', prefix .. 'held:' .. process, id)
  end
end
local left = redis.call('ZCARD', prefix .. 'held:' .. process)
if left == 0 then
  redis.call('ZREM', prefix .. 'beats', process)
  redis.call('HDEL', prefix .. 'slots', process)
  redis.call('HDEL', prefix .. 'fetches', process)
  redis.call('HDEL', prefix .. 'suspects', process)
  if redis.call('GET', prefix .. 'isolator') == process then redis.call('DEL', prefix .. 'isolator') end
end
if #held > 0 then wake() end
return left
