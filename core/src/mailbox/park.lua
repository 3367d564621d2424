-- Moves the first messages of a conversation to the dead letters; the conversation goes on.
-- Keeps true: only the run that holds the conversation's job moves; a message is in the mailbox or in a dead letter, never both, also when the call is repeated.
-- ARGV: serial, conversation, job id, run, how many, code, name of the call
local id, run, n = ARGV[3], ARGV[4], tonumber(ARGV[5])
local job = redis.call('HMGET', job_key(id), 'run', 'box', 'handling', 'last_call')
if job[1] ~= run or job[2] ~= ARGV[2] then return -1 end
if job[4] == ARGV[7] then return redis.call('LLEN', prefix .. 'mail:' .. ARGV[2]) end
park_mail(id, ARGV[2], n, ARGV[6], now_ms(), int(now_us()))
redis.call('HSET', job_key(id), 'last_call', ARGV[7], 'handling', math.max(0, tonumber(job[3] or '0') - n))
local left = redis.call('LLEN', prefix .. 'mail:' .. ARGV[2])
if left == 0 then redis.call('ZREM', prefix .. 'mailed', ARGV[2]) end
return left
