DROP TABLE conversation_notes;
ALTER TABLE shops DROP COLUMN pause_minutes;
ALTER TABLE messages DROP COLUMN user_id;
ALTER TABLE conversations DROP COLUMN resume_at, DROP COLUMN assigned_to;
