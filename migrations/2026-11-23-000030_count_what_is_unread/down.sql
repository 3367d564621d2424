DROP INDEX conversations_unread;
DROP INDEX conversations_paused;
DROP INDEX conversations_unanswered;
DROP INDEX conversations_activity;
CREATE INDEX conversations_activity ON conversations (shop_id, last_activity_at DESC);
ALTER TABLE conversations DROP COLUMN last_answer_id, DROP COLUMN last_in_id, DROP COLUMN seen_message_id;
