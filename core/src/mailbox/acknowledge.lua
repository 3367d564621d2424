-- Removes the first messages of a conversation: those that were handled.
-- Keeps true: only the run that holds the conversation's job removes, and exactly as many as it says, also when the call is repeated.
-- ARGV: serial, conversation, job id, run, handled, name of the call
local id, run, handled = ARGV[3], ARGV[4], tonumber(ARGV[5])
local job = redis.call('HMGET', job_key(id), 'run', 'box', 'handling', 'last_call')
if job[1] ~= run or job[2] ~= ARGV[2] then return -1 end
local box = prefix .. 'mail:' .. ARGV[2]
if job[4] == ARGV[6] then return redis.call('LLEN', box) end
redis.call('LTRIM', box, handled, -1)
redis.call('HSET', job_key(id), 'last_call', ARGV[6], 'handling', math.max(0, tonumber(job[3] or '0') - handled))
local left = redis.call('LLEN', box)
if left == 0 then redis.call('ZREM', prefix .. 'mailed', ARGV[2]) end
return left
