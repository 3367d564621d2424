ALTER TABLE channels DROP COLUMN checked_at, DROP COLUMN token_expires_at;
