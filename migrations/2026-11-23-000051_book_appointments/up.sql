-- Appointments. That nobody is booked twice is decided here, by a constraint, and nowhere else.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE appointments (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    service_id      integer NOT NULL,
    service_name    text NOT NULL,                      -- as it was called when booked
    staff_id        integer NOT NULL,
    customer_id     bigint,
    conversation_id bigint,
    customer_name   text NOT NULL DEFAULT '',
    contact         text,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    blocked         tstzrange NOT NULL,                 -- with the service's buffers: what nobody else may have
    price           numeric(12,2) NOT NULL CHECK (price >= 0),
    state           text NOT NULL DEFAULT 'booked' CHECK (state IN ('booked', 'cancelled', 'done', 'no_show')),
    source          text NOT NULL CHECK (source IN ('agent', 'staff')),
    note            text NOT NULL DEFAULT '',
    proposal_id     bigint,
    request_key     text,
    version         integer NOT NULL DEFAULT 1,         -- grows with every change
    google_event_id text,
    sync_state      text NOT NULL DEFAULT 'none' CHECK (sync_state IN ('none', 'pending', 'synced', 'failed')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    CONSTRAINT appointments_time CHECK (starts_at < ends_at AND blocked @> tstzrange(starts_at, ends_at)),
    CONSTRAINT appointments_no_overlap EXCLUDE USING gist (shop_id WITH =, staff_id WITH =, blocked WITH &&) WHERE (state = 'booked'),
    FOREIGN KEY (shop_id, service_id) REFERENCES services,
    FOREIGN KEY (shop_id, staff_id) REFERENCES staff,
    FOREIGN KEY (shop_id, customer_id) REFERENCES customers,
    FOREIGN KEY (shop_id, conversation_id) REFERENCES conversations,
    FOREIGN KEY (shop_id, proposal_id) REFERENCES proposals
);
CREATE UNIQUE INDEX appointments_proposal ON appointments (shop_id, proposal_id) WHERE proposal_id IS NOT NULL;
CREATE UNIQUE INDEX appointments_request ON appointments (shop_id, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX appointments_start ON appointments (shop_id, starts_at, id);
CREATE INDEX appointments_staff ON appointments (shop_id, staff_id, starts_at);
CREATE INDEX appointments_customer ON appointments (shop_id, customer_id, starts_at) WHERE customer_id IS NOT NULL;

CREATE TABLE appointment_events (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    appointment_id  bigint NOT NULL,
    action          text NOT NULL CHECK (action IN ('booked', 'moved', 'cancelled', 'done', 'no_show')),
    actor           text NOT NULL,                      -- user:<id>, customer, agent, system
    from_starts_at  timestamptz,                        -- where it was before; null when booked
    from_staff_id   integer,
    to_starts_at    timestamptz NOT NULL,               -- where it is from then on
    to_staff_id     integer NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, appointment_id) REFERENCES appointments
);
CREATE INDEX appointment_events_appointment ON appointment_events (shop_id, appointment_id, id);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['appointments', 'appointment_events'] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON public.%I USING (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int) '
                       'WITH CHECK (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int)', t);
    END LOOP;
END $$;
