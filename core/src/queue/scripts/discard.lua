-- Deletes a dead letter.
-- Keeps true: nothing but a dead letter can be deleted by hand.
-- ARGV: serial, id
if redis.call('ZREM', prefix .. 'dead', ARGV[2]) == 0 then return 0 end
redis.call('DEL', job_key(ARGV[2]))
return 1
