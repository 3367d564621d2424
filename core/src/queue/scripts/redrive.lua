-- Runs a dead letter again, from its first attempt. Messages that were parked go behind those that wait in their conversation.
-- Keeps true: a letter is dead or alive, never both; a conversation with messages has a job.
-- ARGV: serial, id, spare id for a conversation's job
local id = ARGV[2]
if redis.call('ZREM', prefix .. 'dead', id) == 0 then return 0 end
local job = redis.call('HMGET', job_key(id), 'group', 'parked', 'payload')
if not job[1] then return 0 end
local now = now_ms()
if job[2] then
  local box = prefix .. 'mail:' .. job[2]
  -- The payload is a JSON array of what the mailbox held; the entries are split by the caller and passed on.
  for i = 4, #ARGV do redis.call('RPUSH', box, ARGV[i]) end
  redis.call('ZADD', prefix .. 'mailed', 'NX', int(now), job[2])
  redis.call('DEL', job_key(id))
  if redis.call('HSETNX', prefix .. 'boxes', job[2], ARGV[3]) == 1 then
    redis.call('HSET', job_key(ARGV[3]), 'payload', cjson.encode({conversation = job[2]}), 'group', job[1], 'enq', int(now), 'box', job[2])
    enqueue(ARGV[3], job[1], false)
  end
else
  redis.call('HDEL', job_key(id), 'code', 'died_at', 'died_on', 'iso_deaths')
  redis.call('HSET', job_key(id), 'attempts', 0, 'deaths', 0, 'enq', int(now))
  enqueue(id, job[1], false)
end
wake()
return 1
