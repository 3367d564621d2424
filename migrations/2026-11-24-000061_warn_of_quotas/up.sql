-- The owner is warned once a month before the plan's messages are used up.
ALTER TABLE usage ADD COLUMN warned_at timestamptz;
