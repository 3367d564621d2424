-- A shop connects its Google account: tokens sealed, one calendar picked, and how far its changes have been read.
CREATE TABLE integrations (
    shop_id         integer NOT NULL REFERENCES shops,
    id              integer GENERATED ALWAYS AS IDENTITY,
    provider        text NOT NULL CHECK (provider IN ('google')),
    state           text NOT NULL CHECK (state IN ('connected', 'broken')),
    connection      text NOT NULL,                      -- a new word with every connecting: what belongs to an earlier one is told from it
    account         text NOT NULL DEFAULT '',           -- the account's e-mail
    scopes          text NOT NULL DEFAULT '',
    sealed_refresh_token text,
    sealed_access_token text,
    access_expires_at timestamptz,
    calendars       jsonb NOT NULL DEFAULT '[]'::jsonb, -- those that can be picked, as last listed
    calendar_id     text,
    calendar_name   text NOT NULL DEFAULT '',
    tell_customers  boolean NOT NULL DEFAULT true,      -- of appointments that were moved or deleted at Google
    sync_token      text,
    last_sync_at    timestamptz,
    error           text,                               -- why it is broken, or why the last look failed
    watch_id        text,
    watch_resource  text,
    watch_expires_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX integrations_provider ON integrations (shop_id, provider);

ALTER TABLE integrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE integrations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON integrations
    USING (shop_id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (shop_id = nullif(current_setting('app.shop_id', true), '')::int);
CREATE POLICY crossing ON integrations TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE FUNCTION system.enqueue_calendar_pulls(p_queue text, p_key text) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH rows AS (
        INSERT INTO outbox (shop_id, queue, key, payload)
        SELECT i.shop_id, p_queue, p_key, '{}'::jsonb FROM integrations i
        WHERE i.provider = 'google' AND i.state = 'connected' AND i.calendar_id IS NOT NULL RETURNING 1)
    SELECT count(*) FROM rows
$$;
REVOKE EXECUTE ON FUNCTION system.enqueue_calendar_pulls(text, text) FROM PUBLIC;
