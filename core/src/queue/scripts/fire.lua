-- Fires a job of the schedule for one of its times, or sets the schedule to a time without firing; the push and the note are one step.
-- Keeps true: whoever decides on what is no longer so does nothing, so that two leaders, or one that was killed, fire a time once; a time that may
-- have had its firing (the clock went back) has another one only if the last is long enough ago by Redis's clock, and then under a key of its own.
-- ARGV: serial, version seen, scheduled Unix ms, 'fire' or 'set', key, job id, group, payload, most that wait, least ms since the last one, missed
-- Returns fired, known, full, set or stale.
local schedule = prefix .. 'schedule'
local version, at, how, key, id, group, payload = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local known = redis.call('HMGET', schedule, 'version', 'high', 'enqueued')
if (known[1] or '0') ~= version then return 'stale' end
local now = now_ms()
local function note(...)
  redis.call('HSET', schedule, 'at', at, ...)
  redis.call('HINCRBY', schedule, 'version', 1)
end
if how == 'set' then
  note('set', int(now))
  return 'set'
end
if tonumber(at) <= tonumber(known[2] or '0') then
  local since = now - tonumber(known[3] or '0')
  if since >= 0 and since < tonumber(ARGV[10]) then
    note('passed', at)
    return 'known'
  end
  key = key .. '~' .. int(now)
end
if redis.call('LLEN', prefix .. 'ready:' .. group) >= tonumber(ARGV[9]) then return 'full' end
redis.call('HSET', job_key(id), 'payload', payload, 'group', group, 'enq', int(now), 'key', key)
enqueue(id, group, false)
wake()
note('fired', at, 'high', int(math.max(tonumber(at), tonumber(known[2] or '0'))), 'enqueued', int(now), 'missed', ARGV[11])
redis.call('HINCRBY', schedule, 'made_up', tonumber(ARGV[11]))
return 'fired'
