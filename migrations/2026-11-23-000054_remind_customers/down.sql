DROP TABLE appointment_reminders;
-- That a customer has confirmed means nothing to the version before.
ALTER TABLE appointment_events NO FORCE ROW LEVEL SECURITY;
DELETE FROM appointment_events WHERE action = 'confirmed';
ALTER TABLE appointment_events FORCE ROW LEVEL SECURITY;
ALTER TABLE appointment_events DROP CONSTRAINT appointment_events_action_check;
ALTER TABLE appointment_events ADD CONSTRAINT appointment_events_action_check CHECK (action IN ('booked', 'moved', 'cancelled', 'done', 'no_show'));
ALTER TABLE appointments DROP COLUMN confirmed_at;
ALTER TABLE shops DROP COLUMN reminder_template, DROP COLUMN reminder_minutes;
