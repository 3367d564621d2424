-- Shops that sell time: what they offer, who does it, and when nobody does.
ALTER TABLE shops
    ADD COLUMN slot_minutes integer NOT NULL DEFAULT 15 CHECK (slot_minutes BETWEEN 5 AND 240),              -- appointments begin so many minutes apart
    ADD COLUMN change_minutes integer NOT NULL DEFAULT 120 CHECK (change_minutes BETWEEN 0 AND 43200);       -- until so long before may customers move or cancel

CREATE TABLE services (
    shop_id         integer NOT NULL REFERENCES shops,
    id              integer GENERATED ALWAYS AS IDENTITY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description     text NOT NULL DEFAULT '',
    duration_minutes integer NOT NULL CHECK (duration_minutes BETWEEN 5 AND 1440),
    buffer_before_minutes integer NOT NULL DEFAULT 0 CHECK (buffer_before_minutes BETWEEN 0 AND 480),
    buffer_after_minutes integer NOT NULL DEFAULT 0 CHECK (buffer_after_minutes BETWEEN 0 AND 480),
    price           numeric(12,2) NOT NULL CHECK (price >= 0),
    lead_minutes    integer NOT NULL DEFAULT 60 CHECK (lead_minutes BETWEEN 0 AND 43200),      -- customers book so long ahead at least
    horizon_days    integer NOT NULL DEFAULT 60 CHECK (horizon_days BETWEEN 1 AND 730),        -- and so many days at most
    slot_minutes    integer CHECK (slot_minutes BETWEEN 5 AND 240),                            -- null: the shop's
    active          boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX services_name ON services (shop_id, lower(name)) WHERE active;

-- Who performs a service: a person, or a room that only one appointment can have.
CREATE TABLE staff (
    shop_id         integer NOT NULL REFERENCES shops,
    id              integer GENERATED ALWAYS AS IDENTITY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    kind            text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'room')),
    hours           jsonb,                              -- null: the shop's
    active          boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX staff_name ON staff (shop_id, lower(name)) WHERE active;

CREATE TABLE service_staff (
    shop_id         integer NOT NULL REFERENCES shops,
    service_id      integer NOT NULL,
    staff_id        integer NOT NULL,
    PRIMARY KEY (shop_id, service_id, staff_id),
    FOREIGN KEY (shop_id, service_id) REFERENCES services,
    FOREIGN KEY (shop_id, staff_id) REFERENCES staff
);
CREATE INDEX service_staff_staff ON service_staff (shop_id, staff_id);

-- Days, or a time of day on each of them, in the shop's zone: a shop that moves keeps its holidays.
CREATE TABLE closures (
    shop_id         integer NOT NULL REFERENCES shops,
    id              integer GENERATED ALWAYS AS IDENTITY,
    staff_id        integer,                            -- null: the whole shop
    from_day        date NOT NULL,
    to_day          date NOT NULL,                      -- the last day
    span            text CHECK (span ~ '^\d\d:\d\d-\d\d:\d\d$'),    -- null: all day
    note            text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (to_day >= from_day),
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, staff_id) REFERENCES staff
);
CREATE INDEX closures_day ON closures (shop_id, to_day, from_day);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['services', 'staff', 'service_staff', 'closures'] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON public.%I USING (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int) '
                       'WITH CHECK (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int)', t);
    END LOOP;
END $$;
