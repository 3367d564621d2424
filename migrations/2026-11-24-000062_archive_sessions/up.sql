-- Sessions that have been silent for a day leave Redis; who returns is greeted with what they were about.
CREATE TABLE archives (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    from_at         timestamptz NOT NULL,               -- of its first exchange
    until_at        timestamptz NOT NULL,               -- of its last one
    exchanges       jsonb NOT NULL CHECK (jsonb_typeof(exchanges) = 'array'),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    CHECK (from_at <= until_at),
    FOREIGN KEY (shop_id, conversation_id) REFERENCES conversations
);
-- One row per session: archiving it again changes nothing.
CREATE UNIQUE INDEX archives_session ON archives (shop_id, conversation_id, until_at);
CREATE INDEX archives_age ON archives (shop_id, until_at);

ALTER TABLE archives ENABLE ROW LEVEL SECURITY;
ALTER TABLE archives FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON archives
    USING (shop_id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (shop_id = nullif(current_setting('app.shop_id', true), '')::int);
