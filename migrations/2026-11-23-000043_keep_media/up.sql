-- What customers send besides words, and the pictures of products, are kept: the bytes in the store of files, what is known of them here.
CREATE TABLE media (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    message_id      bigint,
    product_id      integer,
    part            smallint NOT NULL DEFAULT 0,        -- which of a message's attachments
    kind            text NOT NULL,                      -- image, voice, audio, video, document, sticker
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'kept', 'gone', 'failed', 'too_large')),
    mime_type       text,                               -- by its bytes once it is kept, as the platform says before
    file_name       text,
    size            bigint CHECK (size >= 0),
    sha256          text,                               -- hex
    storage_key     text NOT NULL,                      -- where its bytes are, or will be
    error_code      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    kept_at         timestamptz,
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, message_id) REFERENCES messages,
    FOREIGN KEY (shop_id, product_id) REFERENCES products,
    CHECK ((message_id IS NULL) <> (product_id IS NULL)),
    CHECK (state <> 'kept' OR (size IS NOT NULL AND sha256 IS NOT NULL AND kept_at IS NOT NULL))
);
CREATE UNIQUE INDEX media_message ON media (shop_id, message_id, part) WHERE message_id IS NOT NULL;
CREATE INDEX media_product ON media (shop_id, product_id) WHERE product_id IS NOT NULL;
CREATE INDEX media_age ON media (shop_id, created_at) WHERE message_id IS NOT NULL;
ALTER TABLE media ENABLE ROW LEVEL SECURITY;
ALTER TABLE media FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON media
    USING (shop_id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (shop_id = nullif(current_setting('app.shop_id', true), '')::int);
