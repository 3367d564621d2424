-- What every script of a queue stands on; it is put in front of each of them.
--
-- KEYS[1] is the queue's prefix, `fd:{name}:`; every key begins with it, so that a queue lives in one slot. ARGV[1] is '1' for a queue that
-- serves a group one job at a time. The time is Redis's own, never a caller's.
--
-- Kept true by all scripts together:
--   a group is in `ring` exactly once while it has waiting jobs and may be served (a serial group only while none of its jobs runs);
--   `busy[group]` counts its running jobs; `held:<process>` holds each running job under the fence of its run;
--   `count` holds how many are ready and how many run.
local prefix, serial = KEYS[1], ARGV[1] == '1'

local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function now_ms() return math.floor(now_us() / 1000) end
local function int(number) return string.format('%.0f', number) end
local function job_key(id) return prefix .. 'job:' .. id end
local function wake() redis.call('PUBLISH', prefix .. 'wake', '') end

-- Puts a job where the next fetch finds it: behind its group, or before it (`head`). One with two deaths waits to run alone.
local function enqueue(id, group, head)
  local key = job_key(id)
  redis.call('HSET', key, 'state', 'ready')
  redis.call('HINCRBY', prefix .. 'count', 'ready', 1)
  if tonumber(redis.call('HGET', key, 'deaths') or '0') >= 2 then
    redis.call('RPUSH', prefix .. 'alone', id)
    return
  end
  local waiting = redis.call(head and 'LPUSH' or 'RPUSH', prefix .. 'ready:' .. group, id)
  if waiting == 1 and not (serial and redis.call('HEXISTS', prefix .. 'busy', group) == 1) then
    redis.call('RPUSH', prefix .. 'ring', group)
  end
end

-- Ends a run: the process no longer holds the job, its group has a slot less. Who held it has its token taken away.
local function release(id, group, process)
  redis.call('ZREM', prefix .. 'held:' .. process, id)
  redis.call('HINCRBY', prefix .. 'count', 'running', -1)
  redis.call('HDEL', job_key(id), 'run', 'by', 'iso')
  if redis.call('HINCRBY', prefix .. 'busy', group, -1) <= 0 then
    redis.call('HDEL', prefix .. 'busy', group)
    if serial and redis.call('EXISTS', prefix .. 'ready:' .. group) == 1 then
      redis.call('RPUSH', prefix .. 'ring', group)
      wake()
    end
  end
end

-- Tells whoever waits for the job how it ended, and keeps that for a minute: a repeat of the request may come a moment later.
local function tell(id, outcome)
  local waiters = redis.call('HGET', job_key(id), 'wait')
  if not waiters then return end
  redis.call('SET', prefix .. 'result:' .. id, outcome, 'PX', 60000)
  for process in string.gmatch(waiters, '%S+') do
    redis.call('PUBLISH', 'fd:reply:' .. process, id .. '\n' .. outcome)
  end
end

-- An id as a UUID prints, made of another and a salt: for a dead letter that takes a conversation's messages along.
local function derived_id(id, salt)
  local hex = redis.sha1hex(id .. salt)
  return string.sub(hex, 1, 8) .. '-' .. string.sub(hex, 9, 12) .. '-5' .. string.sub(hex, 14, 16) .. '-8' .. string.sub(hex, 18, 20) .. '-' .. string.sub(hex, 21, 32)
end

local function add_dead(id, code, now)
  redis.call('HSET', job_key(id), 'state', 'dead', 'code', code, 'died_at', int(now))
  redis.call('ZADD', prefix .. 'dead', int(now), id)
end

-- Moves the first `n` messages of a conversation to a dead letter of their own.
local function park_mail(id, conversation, n, code, now, salt)
  local box = prefix .. 'mail:' .. conversation
  local mail = redis.call('LRANGE', box, 0, n - 1)
  if #mail == 0 then return nil end
  redis.call('LTRIM', box, #mail, -1)
  local letter = derived_id(id, salt)
  redis.call('HSET', job_key(letter), 'payload', '[' .. table.concat(mail, ',') .. ']', 'parked', conversation, 'enq', int(now),
    'group', redis.call('HGET', job_key(id), 'group'), 'attempts', redis.call('HGET', job_key(id), 'attempts') or '0',
    'deaths', redis.call('HGET', job_key(id), 'deaths') or '0')
  add_dead(letter, code, now)
  return letter
end

-- A conversation's job has ended: it starts afresh if messages wait, else the conversation has none.
local function next_turn(id, conversation, now)
  local key = job_key(id)
  if redis.call('EXISTS', prefix .. 'mail:' .. conversation) == 1 then
    redis.call('HDEL', key, 'handling', 'last_call', 'died_on', 'iso_deaths', 'code')
    redis.call('HSET', key, 'attempts', 0, 'deaths', 0, 'enq', int(now))
    enqueue(id, redis.call('HGET', key, 'group'), false)
    wake()
  else
    redis.call('HDEL', prefix .. 'boxes', conversation)
    redis.call('ZREM', prefix .. 'mailed', conversation)
    redis.call('DEL', key)
  end
end

-- Of a job that the schedule fires: how its latest run ended.
local function note_run(id, how, now)
  local job = redis.call('HMGET', job_key(id), 'group', 'key')
  if job[1] == 'system' and job[2] and redis.call('EXISTS', prefix .. 'schedule') == 1 then
    redis.call('HSET', prefix .. 'schedule', 'ran', job[2], 'ended', int(now), 'outcome', how)
  end
end

-- Gives a job up, visibly. Of a conversation the messages it was at are given up, and the conversation goes on with the next.
local function bury(id, code, now)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'box', 'handling', 'enq')
  if job[1] then
    local n = tonumber(job[2] or '0')
    if n == 0 then n = math.min(redis.call('LLEN', prefix .. 'mail:' .. job[1]), 100) end
    park_mail(id, job[1], n, code, now, int(now_us()))
    next_turn(id, job[1], now)
  else
    note_run(id, code, now)
    add_dead(id, code, now)
    tell(id, '-' .. code)
  end
end
