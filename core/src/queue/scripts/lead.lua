-- Makes a process the leader, or renews it.
-- Keeps true: one leader at a time; each leadership has a term larger than all before it.
-- KEYS: prefix. ARGV: process, lifetime ms. Returns the term, or 0 while another leads.
local holder = redis.call('GET', KEYS[1] .. 'holder')
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1] .. 'holder', ARGV[2])
  return tonumber(redis.call('GET', KEYS[1] .. 'term'))
end
if holder then return 0 end
redis.call('SET', KEYS[1] .. 'holder', ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[1] .. 'since', redis.call('TIME')[1])
return redis.call('INCR', KEYS[1] .. 'term')
