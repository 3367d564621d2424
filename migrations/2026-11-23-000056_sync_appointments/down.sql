DROP INDEX appointments_unsynced;
DROP INDEX appointments_google_event;
ALTER TABLE appointments
    DROP COLUMN google_calendar_id,
    DROP COLUMN google_etag,
    DROP COLUMN google_version,
    DROP COLUMN calendar_conflict;
