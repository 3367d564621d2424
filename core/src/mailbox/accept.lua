-- Takes in one message of a customer: once, into the one conversation that any of the sender's ids leads to.
-- Keeps true: a message is accepted once a day's deliveries long; two known ids lead to one conversation from then on (the first one's);
-- a conversation with messages has exactly one job; no mailbox holds more than its bound (the caller records the rest).
-- ARGV: serial, dedupe key, event, group, channel, bound, spare job id, alias ms, then the sender's aliases, best first
local dedupe, event, group, channel, bound, spare, alias_ms = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7], ARGV[8]
local seen = prefix .. 'seen:' .. dedupe
if redis.call('EXISTS', seen) == 1 then return {0, ''} end

local conversation
for i = 9, #ARGV do
  conversation = conversation or redis.call('GET', prefix .. 'alias:' .. channel .. ':' .. ARGV[i])
end
conversation = conversation or (channel .. ':' .. string.match(ARGV[9], '^[^:]*:(.*)$'))
local box = prefix .. 'mail:' .. conversation
for i = 9, #ARGV do redis.call('SET', prefix .. 'alias:' .. channel .. ':' .. ARGV[i], conversation, 'PX', alias_ms) end
if redis.call('LLEN', box) >= bound then return {2, conversation} end

local now = now_ms()
redis.call('SET', seen, '1', 'PX', 86400000)
redis.call('RPUSH', box, '{"accepted_at_ms":' .. int(now) .. ',"event":' .. event .. '}')
redis.call('ZADD', prefix .. 'mailed', 'NX', int(now), conversation)
local id = redis.call('HGET', prefix .. 'boxes', conversation)
if not id or redis.call('EXISTS', job_key(id)) == 0 then
  redis.call('HSET', prefix .. 'boxes', conversation, spare)
  redis.call('HSET', job_key(spare), 'payload', cjson.encode({conversation = conversation}), 'group', group, 'enq', int(now), 'box', conversation)
  enqueue(spare, group, false)
  wake()
else
  local holder = redis.call('HGET', job_key(id), 'by')
  if holder then redis.call('PUBLISH', 'fd:more:' .. holder, conversation) end
end
return {1, conversation}
