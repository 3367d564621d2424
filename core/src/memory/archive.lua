-- Removes a session that was written to Postgres, unless anything was said since.
-- Keeps true: what is removed is what was written.
-- KEYS: the shop's activity index, the session. ARGV: conversation, activity seen, every entry seen. Returns whether it was removed.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
local entries = redis.call('LRANGE', KEYS[2], 0, -1)
if #entries ~= #ARGV - 2 then return 0 end
for at, entry in ipairs(entries) do
  if entry ~= ARGV[at + 2] then return 0 end
end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1
