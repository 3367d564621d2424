-- Notes when something of a schedule was last fired.
-- Keeps true: only the leader of this term notes, so one that was paused cannot set the schedule back.
-- KEYS: prefix. ARGV: process, term, name, Unix ms
if redis.call('GET', KEYS[1] .. 'holder') ~= ARGV[1] or redis.call('GET', KEYS[1] .. 'term') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1] .. 'fired', ARGV[3], ARGV[4])
return 1
