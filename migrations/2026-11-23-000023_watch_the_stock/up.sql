-- Shops say below which stock they want to know, and every change of the stock by hand keeps its reason.
ALTER TABLE products
    ADD COLUMN low_stock_at integer CHECK (low_stock_at >= 0),      -- at this stock or less it is low; null: never
    ADD COLUMN low_stock_told boolean NOT NULL DEFAULT false,       -- staff were told, and it has not been restocked since
    ADD COLUMN low_stock boolean GENERATED ALWAYS AS (coalesce(stock <= low_stock_at, false)) STORED NOT NULL;

CREATE TABLE stock_changes (
    shop_id         integer NOT NULL REFERENCES shops,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    product_id      integer NOT NULL,
    change          integer NOT NULL,
    stock           integer NOT NULL,                   -- what was there afterwards
    kind            text NOT NULL CHECK (kind IN ('adjusted', 'saved', 'imported')),
    reason          text NOT NULL DEFAULT '',
    actor           text NOT NULL,                      -- user:<id>, system
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, product_id) REFERENCES products
);
CREATE INDEX stock_changes_product ON stock_changes (shop_id, product_id, id DESC);
ALTER TABLE stock_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE stock_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON stock_changes
    USING (shop_id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (shop_id = nullif(current_setting('app.shop_id', true), '')::int);
