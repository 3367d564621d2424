-- Hands a process the jobs for its free slots: round-robin over the groups, in push order within each.
-- Keeps true: a job runs under one process and one fence, each fence larger than all before it; a group that holds half of the live slots
-- waits while another can be served, and a quarter of them is out of reach of any one group, so that who comes next finds room; what is due comes before what waits; at most 100 delayed jobs move per call.
-- A fetch that arrives after a later one of the same process is refused: nobody waits for its answer any more.
-- ARGV: serial, process, slots of the process, wanted, '1' for one that must run alone, number of the fetch
local process, slots, wanted, alone, number = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
if tonumber(redis.call('HGET', prefix .. 'fetches', process) or '0') >= number then return {{}, '-1', '0', '0'} end
redis.call('HSET', prefix .. 'fetches', process, number)
local us = now_us()
local now = math.floor(us / 1000)

redis.call('ZADD', prefix .. 'beats', int(now), process)
redis.call('HSET', prefix .. 'slots', process, slots)
redis.call('HDEL', prefix .. 'suspects', process)

for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'delayed', '-inf', int(now), 'LIMIT', 0, 100)) do
  redis.call('ZREM', prefix .. 'delayed', id)
  local group = redis.call('HGET', job_key(id), 'group')
  if group then enqueue(id, group, false) end
end

local total = 0
for _, n in ipairs(redis.call('HVALS', prefix .. 'slots')) do total = total + tonumber(n) end
local share = math.max(1, math.floor(total / 2))
local most = total - math.floor(total / 4)

local fence = tonumber(redis.call('GET', prefix .. 'fence') or '0')
local jobs, held_back = {}, '0'
local function start(id)
  local job = redis.call('HMGET', job_key(id), 'group', 'shop', 'attempts', 'deaths', 'enq', 'key', 'trace', 'payload', 'state')
  redis.call('HINCRBY', prefix .. 'count', 'ready', -1)
  if not job[1] or job[9] ~= 'ready' then return end
  fence = math.max(fence + 1, us)
  redis.call('HSET', job_key(id), 'state', 'running', 'run', int(fence), 'by', process, 'iso', alone and '1' or '0')
  redis.call('ZADD', prefix .. 'held:' .. process, int(fence), id)
  redis.call('HINCRBY', prefix .. 'busy', job[1], 1)
  redis.call('HINCRBY', prefix .. 'count', 'running', 1)
  jobs[#jobs + 1] = {id, int(fence), job[2] or '', job[3] or '0', job[4] or '0', job[5], job[6] or '', job[7] or '', job[8]}
end

if alone then
  local id = redis.call('LPOP', prefix .. 'alone')
  if id then start(id) end
  redis.call('SET', prefix .. 'isolator', process, 'PX', 15000)
else
  local skipped, ring = 0, redis.call('LLEN', prefix .. 'ring')
  while #jobs < wanted do
    local group = redis.call('LPOP', prefix .. 'ring')
    if not group then break end
    local busy = tonumber(redis.call('HGET', prefix .. 'busy', group) or '0')
    if busy >= most and group ~= 'system' then
      held_back = '1'
      redis.call('RPUSH', prefix .. 'ring', group)
      skipped = skipped + 1
      if skipped >= math.min(ring, 16) then break end
    elseif busy >= share and skipped < math.min(ring - 1, 16) then
      skipped = skipped + 1
      redis.call('RPUSH', prefix .. 'ring', group)
    else
      local id = redis.call('LPOP', prefix .. 'ready:' .. group)
      if redis.call('EXISTS', prefix .. 'ready:' .. group) == 1 and not serial then
        redis.call('RPUSH', prefix .. 'ring', group)
      else
        ring = ring - 1
      end
      if busy < share then skipped = 0 end
      if id then start(id) end
    end
  end
end
if #jobs > 0 then redis.call('SET', prefix .. 'fence', int(fence)) end

local isolate = '0'
if redis.call('EXISTS', prefix .. 'alone') == 1 then
  local isolator = redis.call('GET', prefix .. 'isolator')
  if not isolator or isolator == process then
    redis.call('SET', prefix .. 'isolator', process, 'PX', 15000)
    isolate = '1'
  end
end
local due = redis.call('ZRANGE', prefix .. 'delayed', 0, 0, 'WITHSCORES')[2]
return {jobs, due and int(math.max(0, tonumber(due) - now)) or '-1', isolate, held_back}
