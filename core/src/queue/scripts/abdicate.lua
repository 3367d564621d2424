-- Ends a leadership, so that the next one need not wait for its time to run out.
-- Keeps true: nobody ends another's.
-- KEYS: prefix. ARGV: process
if redis.call('GET', KEYS[1] .. 'holder') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1] .. 'holder')
