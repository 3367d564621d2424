-- Gives a job to each mailbox that has messages and none, a bounded number per call; what was parked is in no mailbox and stays parked.
-- Keeps true: messages that wait are answered, whatever went wrong before.
-- ARGV: serial, from rank, chunk, then a spare job id for each. Returns how many were looked at, and how many were readied.
local from, chunk = tonumber(ARGV[2]), tonumber(ARGV[3])
local boxes = redis.call('ZRANGE', prefix .. 'mailed', from, from + chunk - 1)
local readied = 0
for i, conversation in ipairs(boxes) do
  local id = redis.call('HGET', prefix .. 'boxes', conversation)
  if redis.call('EXISTS', prefix .. 'mail:' .. conversation) == 0 then
    redis.call('ZREM', prefix .. 'mailed', conversation)
  elseif not id or redis.call('EXISTS', job_key(id)) == 0 then
    local spare = ARGV[3 + i]
    local group = 'channel:' .. (string.match(conversation, '^([^:]*:[^:]*):') or conversation)
    redis.call('HSET', prefix .. 'boxes', conversation, spare)
    redis.call('HSET', job_key(spare), 'payload', cjson.encode({conversation = conversation}), 'group', group, 'enq', int(now_ms()), 'box', conversation)
    enqueue(spare, group, false)
    readied = readied + 1
  end
end
if readied > 0 then wake() end
return {#boxes, readied}
