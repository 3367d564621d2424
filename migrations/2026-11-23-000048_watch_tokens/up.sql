-- When a channel's token ends, as Meta says, and when it was last looked at.
ALTER TABLE channels ADD COLUMN token_expires_at timestamptz, ADD COLUMN checked_at timestamptz;
