-- Says that a process lives, and takes back what the dead hold, a bounded number at a time.
-- Keeps true: a process counts as dead only when seen unrenewed twice, `confirm` apart, so that a Redis that stood still expires nobody; its
-- jobs come back to the head of their groups in their order, one death more each; after two deaths a job runs alone; one whose lone run dies
-- too is given up, unless other processes died lately without it on board (then the blame is not proven, and it gets up to five lone runs);
-- whatever died in its company is cleared.
-- ARGV: serial, process, slots, lease ms, confirm ms, chunk
local process, slots, lease, confirm, chunk = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now = now_ms()
local known = redis.call('ZADD', prefix .. 'beats', int(now), process) == 0
redis.call('HSET', prefix .. 'slots', process, slots)
redis.call('HDEL', prefix .. 'suspects', process)

local function has(list, name) return string.find(' ' .. list .. ' ', ' ' .. name .. ' ', 1, true) end

-- How many processes died in the last minute without this job.
local function crashes_without(died_on)
  local n = 0
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'crashes', int(now - 60000), '+inf', 'LIMIT', 0, 50)) do
    if not has(died_on, other) then n = n + 1 end
  end
  return n
end

-- Jobs that wait to run alone because they died together with one that is now given up.
local function clear_company(died_on)
  for _, id in ipairs(redis.call('LRANGE', prefix .. 'alone', 0, 499)) do
    local job = redis.call('HMGET', job_key(id), 'died_on', 'group')
    local company = job[1] ~= false and job[2] ~= false
    if company then
      for name in string.gmatch(job[1], '%S+') do company = company and has(died_on, name) end
    end
    if company then
      redis.call('LREM', prefix .. 'alone', 1, id)
      redis.call('HINCRBY', prefix .. 'count', 'ready', -1)
      redis.call('HDEL', job_key(id), 'died_on', 'iso_deaths')
      redis.call('HSET', job_key(id), 'deaths', 0)
      enqueue(id, job[2], false)
    end
  end
end

local function take_back(id, fence, dead)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'run', 'group', 'died_on', 'iso')
  if job[1] ~= fence or not job[2] then
    redis.call('ZREM', prefix .. 'held:' .. dead, id)
    return
  end
  release(id, job[2], dead)
  redis.call('HINCRBY', key, 'deaths', 1)
  local died_on = string.sub((job[3] or '') .. ' ' .. dead, -1200)
  redis.call('HSET', key, 'died_on', died_on)
  if job[4] == '1' then
    local times = redis.call('HINCRBY', key, 'iso_deaths', 1)
    if times >= 5 or crashes_without(died_on) == 0 then
      bury(id, 'killed_its_worker', now)
      clear_company(died_on)
      return
    end
  end
  enqueue(id, job[2], true)
end

local back, more = 0, 0
for _, other in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'beats', '-inf', int(now - lease), 'LIMIT', 0, 16)) do
  local score = redis.call('ZSCORE', prefix .. 'beats', other)
  local seen, at = string.match(redis.call('HGET', prefix .. 'suspects', other) or '', '^(%S+) (%S+)$')
  if seen ~= score then
    redis.call('HSET', prefix .. 'suspects', other, score .. ' ' .. int(now))
  elseif now - tonumber(at) >= confirm and back < chunk then
    redis.call('ZADD', prefix .. 'crashes', int(now), other)
    redis.call('ZREMRANGEBYSCORE', prefix .. 'crashes', '-inf', int(now - 600000))
    local held = redis.call('ZREVRANGE', prefix .. 'held:' .. other, 0, chunk - 1, 'WITHSCORES')
    for i = 1, #held, 2 do take_back(held[i], int(tonumber(held[i + 1])), other) end
    back = back + #held / 2
    if redis.call('EXISTS', prefix .. 'held:' .. other) == 1 then
      more = 1
    else
      redis.call('ZREM', prefix .. 'beats', other)
      redis.call('HDEL', prefix .. 'slots', other)
      redis.call('HDEL', prefix .. 'fetches', other)
      redis.call('HDEL', prefix .. 'suspects', other)
    end
  end
end
if back > 0 then wake() end
return {known and 1 or 0, back, more}
