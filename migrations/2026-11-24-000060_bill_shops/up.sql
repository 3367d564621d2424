-- Stripe bills the shops: one customer and one subscription each, every paid invoice once, and what the owner was told.
CREATE TABLE subscriptions (
    shop_id         integer PRIMARY KEY REFERENCES shops,
    customer_id     text NOT NULL,                      -- Stripe's, like all ids here
    customer_no     integer NOT NULL DEFAULT 1,          -- counts the customers that were made for the shop: one that was deleted at Stripe is replaced
    subscription_id text,
    item_id         text,                               -- what a change of plan changes
    schedule_id     text,                               -- what brings a smaller plan at the period's end
    plan            text CHECK (plan IN ('starter', 'pro', 'business')),
    next_plan       text CHECK (next_plan IN ('starter', 'pro', 'business')),
    status          text,                               -- Stripe's word: active, past_due, canceled, …
    ends_at         timestamptz,                        -- it was cancelled: when it ends, or ended
    unpaid_end      boolean NOT NULL DEFAULT false,     -- Stripe ended it because nobody paid
    period_end      timestamptz,
    next_amount     numeric(12,2),                      -- of the next invoice, as Stripe forecasts it
    next_currency   text,
    owed_url        text,                               -- where the open invoice is paid
    expiry_date     timestamptz,                        -- until when it is paid
    looks_begun     bigint NOT NULL DEFAULT 0,
    look_written    bigint NOT NULL DEFAULT 0,          -- the look at Stripe that this row came of: one that was begun before writes nothing
    looked_at       timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX subscriptions_customer ON subscriptions (customer_id);

CREATE TABLE payments (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    invoice_id      text NOT NULL,
    subscription_id text,
    number          text NOT NULL DEFAULT '',
    reason          text NOT NULL DEFAULT '',           -- subscription_create, subscription_cycle, subscription_update, manual, …
    amount          numeric(12,2) NOT NULL,
    currency        text NOT NULL,
    paid_at         timestamptz NOT NULL,
    period_end      timestamptz,                        -- of the subscription period that it pays; absent: it pays none
    pays_until      timestamptz,                        -- the later of that and 30 days after it was paid
    url             text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX payments_invoice ON payments (invoice_id);
CREATE INDEX payments_paid ON payments (shop_id, paid_at DESC);

CREATE TABLE billing_events (
    shop_id         integer NOT NULL REFERENCES shops,
    event_id        text NOT NULL,
    kind            text NOT NULL,                      -- what happened: charge.refunded
    object_id       text NOT NULL,
    detail          jsonb NOT NULL DEFAULT '{}'::jsonb, -- amount, currency and state of a refund or a dispute
    occurred_at     timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, event_id)
);
CREATE INDEX billing_events_kind ON billing_events (shop_id, kind, occurred_at DESC);

CREATE TABLE billing_notices (
    shop_id         integer NOT NULL REFERENCES shops,
    key             text NOT NULL,                      -- what was told, and of when: each thing is told once
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, key)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['subscriptions', 'payments', 'billing_events', 'billing_notices'] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON public.%I USING (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int) '
                       'WITH CHECK (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int)', t);
    END LOOP;
END $$;
CREATE POLICY crossing ON subscriptions TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE FUNCTION system.find_stripe_customer(p_customer text) RETURNS TABLE (shop_id integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.shop_id FROM subscriptions s WHERE s.customer_id = p_customer
$$;
REVOKE EXECUTE ON FUNCTION system.find_stripe_customer(text) FROM PUBLIC;
