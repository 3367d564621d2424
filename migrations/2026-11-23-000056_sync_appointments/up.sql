-- What of an appointment stands at Google: in which calendar, at which version of ours, at which of theirs.
ALTER TABLE appointments
    ADD COLUMN google_calendar_id text,
    ADD COLUMN google_etag text,                -- as of our last write or read; any other means that somebody changed the event there
    ADD COLUMN google_version integer,          -- the version of ours that stands there
    ADD COLUMN calendar_conflict text;          -- what was done at Google and could not be done here
CREATE UNIQUE INDEX appointments_google_event ON appointments (shop_id, google_event_id) WHERE google_event_id IS NOT NULL;
CREATE INDEX appointments_unsynced ON appointments (shop_id, starts_at) WHERE sync_state IN ('pending', 'failed');
