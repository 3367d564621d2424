-- Takes in what leads to no turn, all of one channel, as one job with those that are new.
-- Keeps true: an event is recorded once a day's deliveries long; the events of one delivery keep their order.
-- ARGV: serial, group, job id, then dedupe key and event in turn. Returns how many were new.
local group, id = ARGV[2], ARGV[3]
local fresh = {}
for i = 4, #ARGV, 2 do
  if redis.call('SET', prefix .. 'seen:' .. ARGV[i], '1', 'PX', 86400000, 'NX') then fresh[#fresh + 1] = ARGV[i + 1] end
end
if #fresh > 0 then
  redis.call('HSET', job_key(id), 'payload', '{"events":[' .. table.concat(fresh, ',') .. ']}', 'group', group, 'enq', int(now_ms()))
  enqueue(id, group, false)
  wake()
end
return #fresh
