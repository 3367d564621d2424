-- Adds one job, at once or after a delay, unless its idempotency key is taken; then says whose it is.
-- Keeps true: a key leads to one job for 48 hours; a job pushed again under its own id is there once.
-- ARGV: serial, id, group, shop or '', payload, key or '', delay ms, waiter or '', trace or ''
local id, group, shop, payload, key, delay, waiter, trace = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8], ARGV[9]
local now = now_ms()
local function wait_for(job)
  if waiter == '' or redis.call('EXISTS', job_key(job)) == 0 then return end
  local waiters = redis.call('HGET', job_key(job), 'wait') or ''
  if not string.find(waiters, waiter, 1, true) and #waiters < 4096 then
    redis.call('HSET', job_key(job), 'wait', waiters .. ' ' .. waiter)
  end
end
if key ~= '' then
  local named = prefix .. 'key:' .. shop .. ':' .. key
  local taken = redis.call('GET', named)
  if taken and taken ~= id then
    local job = redis.call('HMGET', job_key(taken), 'state', 'code')
    wait_for(taken)
    return {0, taken, redis.call('GET', prefix .. 'result:' .. taken) or (job[1] == 'dead' and '-' .. (job[2] or 'failed')) or ''}
  end
  redis.call('SET', named, id, 'PX', 172800000)
end
if redis.call('EXISTS', job_key(id)) == 1 then return {1, id, ''} end
redis.call('HSET', job_key(id), 'payload', payload, 'group', group, 'enq', int(now))
if shop ~= '' then redis.call('HSET', job_key(id), 'shop', shop) end
if key ~= '' then redis.call('HSET', job_key(id), 'key', key) end
if trace ~= '' then redis.call('HSET', job_key(id), 'trace', trace) end
wait_for(id)
if delay > 0 then
  redis.call('HSET', job_key(id), 'state', 'delayed')
  redis.call('ZADD', prefix .. 'delayed', int(now + delay), id)
else
  enqueue(id, group, false)
end
wake()
return {1, id, ''}
