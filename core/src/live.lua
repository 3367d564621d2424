-- The events after one that a dashboard has seen; nil if some of them may have been dropped.
local key, seen, most = KEYS[1], ARGV[1], ARGV[2]
if redis.call('EXISTS', key) == 0 then return {} end
if #redis.call('XRANGE', key, seen, seen) == 0 then
  -- Not an event that is still there: only a stream that never dropped any is known to be whole.
  local info, length, added = redis.call('XINFO', 'STREAM', key), nil, nil
  for i = 1, #info, 2 do
    if info[i] == 'length' then length = info[i + 1] end
    if info[i] == 'entries-added' then added = info[i + 1] end
  end
  if added == nil or added ~= length then return nil end
end
return redis.call('XRANGE', key, '(' .. seen, '+', 'COUNT', most)
