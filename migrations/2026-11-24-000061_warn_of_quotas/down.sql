ALTER TABLE usage DROP COLUMN warned_at;
