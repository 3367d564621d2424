-- Customers are reminded of appointments, each time once, and say whether they come.
ALTER TABLE shops
    ADD COLUMN reminder_minutes integer[] NOT NULL DEFAULT '{1440,60}'      -- so many minutes ahead; none: no reminders
        CHECK (cardinality(reminder_minutes) <= 3 AND 15 <= ALL (reminder_minutes) AND 10080 >= ALL (reminder_minutes) AND array_position(reminder_minutes, NULL) IS NULL),
    ADD COLUMN reminder_template text;                                      -- an approved WhatsApp template, for customers who have not written for a day

ALTER TABLE appointments ADD COLUMN confirmed_at timestamptz;               -- when the customer said that they come, at this time

ALTER TABLE appointment_events DROP CONSTRAINT appointment_events_action_check;
ALTER TABLE appointment_events ADD CONSTRAINT appointment_events_action_check
    CHECK (action IN ('booked', 'moved', 'cancelled', 'done', 'no_show', 'confirmed'));

CREATE TABLE appointment_reminders (
    shop_id         integer NOT NULL REFERENCES shops,
    appointment_id  bigint NOT NULL,
    minutes         integer NOT NULL,                   -- so many ahead
    starts_at       timestamptz NOT NULL,               -- of this time: one that is moved is reminded of anew
    state           text NOT NULL CHECK (state IN ('sent', 'skipped')),
    reason          text,                               -- why it was skipped
    message_id      bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, appointment_id, minutes, starts_at),
    CONSTRAINT appointment_reminders_state CHECK ((state = 'sent') = (message_id IS NOT NULL) AND (state = 'skipped') = (reason IS NOT NULL)),
    FOREIGN KEY (shop_id, appointment_id) REFERENCES appointments,
    FOREIGN KEY (shop_id, message_id) REFERENCES messages
);
CREATE UNIQUE INDEX appointment_reminders_message ON appointment_reminders (shop_id, message_id) WHERE message_id IS NOT NULL;

ALTER TABLE appointment_reminders ENABLE ROW LEVEL SECURITY;
ALTER TABLE appointment_reminders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON appointment_reminders
    USING (shop_id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (shop_id = nullif(current_setting('app.shop_id', true), '')::int);
