-- An export to Google Sheets may run more than once: this says which spreadsheet it has made, and what belongs into it.
CREATE TABLE sheet_exports (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    request_key     text NOT NULL,
    spreadsheet_id  text NOT NULL,
    url             text NOT NULL,
    upto            bigint NOT NULL,            -- what came later is not in it
    row_count       integer NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX sheet_exports_request ON sheet_exports (shop_id, request_key);

ALTER TABLE sheet_exports ENABLE ROW LEVEL SECURITY;
ALTER TABLE sheet_exports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sheet_exports
    USING (shop_id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (shop_id = nullif(current_setting('app.shop_id', true), '')::int);
