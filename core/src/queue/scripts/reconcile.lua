-- Gives back what a process holds without knowing: jobs of a fetch whose answer never came.
-- Keeps true: a job is not held by a living process that does not run it. The number makes the lost fetch, should it only arrive now, too late.
-- ARGV: serial, process, number of the fetch, then the fence of every run the process knows
local process, number = ARGV[2], tonumber(ARGV[3])
if tonumber(redis.call('HGET', prefix .. 'fetches', process) or '0') >= number then return 0 end
redis.call('HSET', prefix .. 'fetches', process, number)
local known = {}
for i = 4, #ARGV do known[ARGV[i]] = true end
local held = redis.call('ZREVRANGE', prefix .. 'held:' .. process, 0, -1, 'WITHSCORES')
local back = 0
for i = 1, #held, 2 do
  if not known[int(tonumber(held[i + 1]))] then
    local group = redis.call('HGET', job_key(held[i]), 'group')
    if group then
      release(held[i], group, process)
      enqueue(held[i], group, true)
    else
      redis.call('ZREM', prefix .. 'held:' .. process, held[i])
    end
    back = back + 1
  end
end
if back > 0 then wake() end
return back
