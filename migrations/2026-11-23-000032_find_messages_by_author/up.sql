-- A colleague who leaves is taken out of what they wrote; without this every message would be looked at. Concurrently, as the table is large.
CREATE INDEX CONCURRENTLY messages_user ON messages (shop_id, user_id) WHERE user_id IS NOT NULL;
