-- Ends a run in one of four ways: done, again later (retry), given up (dead), or not begun (back to the head of its group).
-- Keeps true: only the run that holds the job may end it; a finished job leaves nothing but a result that somebody waits for; a conversation
-- with messages has a job; a failure never raises `deaths` and a death never raises `attempts`.
-- ARGV: serial, process, id, run, done|retry|dead|back, result or code, delay ms, '1' if the run counts as an attempt
local process, id, run, how, text, delay, counts = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local key = job_key(id)
local job = redis.call('HMGET', key, 'run', 'group', 'box', 'key')
if job[1] ~= run then return 'lost' end
local now = now_ms()
release(id, job[2], process)
if how == 'done' then
  if job[3] then
    next_turn(id, job[3], now)
  else
    note_run(id, 'done', now)
    tell(id, '+' .. text)
    redis.call('DEL', key)
  end
elseif how == 'retry' then
  if counts == '1' then redis.call('HINCRBY', key, 'attempts', 1) end
  redis.call('HSET', key, 'state', 'delayed', 'code', text)
  redis.call('ZADD', prefix .. 'delayed', int(now + tonumber(delay)), id)
  wake()
elseif how == 'dead' then
  redis.call('HINCRBY', key, 'attempts', 1)
  bury(id, text, now)
else
  enqueue(id, job[2], true)
  wake()
end
return how
