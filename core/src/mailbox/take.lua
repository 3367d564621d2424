-- Reads the messages that wait in a conversation; they stay until they are acknowledged.
-- Keeps true: only the run that holds the conversation's job reads; what it was at is known if it fails.
-- ARGV: serial, conversation, job id, run, at most
local id, run = ARGV[3], ARGV[4]
local job = redis.call('HMGET', job_key(id), 'run', 'box')
if job[1] ~= run or job[2] ~= ARGV[2] then return {0, '0', {}} end
local mail = redis.call('LRANGE', prefix .. 'mail:' .. ARGV[2], 0, tonumber(ARGV[5]) - 1)
redis.call('HSET', job_key(id), 'handling', #mail)
return {1, int(now_ms()), mail}
