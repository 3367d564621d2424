-- Best sellers and open orders for the dashboard, at a cost that does not grow with the orders: kept with each order, like daily_sales.

CREATE TABLE product_sales (
    shop_id         integer NOT NULL REFERENCES shops,
    day             date NOT NULL,                      -- the day in the shop's zone on which the orders count
    product_id      integer NOT NULL,
    pieces          bigint NOT NULL DEFAULT 0,
    revenue         numeric(14,2) NOT NULL DEFAULT 0,
    cost            numeric(14,2) NOT NULL DEFAULT 0,
    profit          numeric(14,2) NOT NULL DEFAULT 0,
    PRIMARY KEY (shop_id, day, product_id),
    FOREIGN KEY (shop_id, product_id) REFERENCES products
);

-- One row per shop, so that two changes of state can never wait for one another in a circle.
CREATE TABLE order_counts (
    shop_id         integer PRIMARY KEY REFERENCES shops,
    pending         bigint NOT NULL DEFAULT 0,
    confirmed       bigint NOT NULL DEFAULT 0,
    fulfilled       bigint NOT NULL DEFAULT 0,
    cancelled       bigint NOT NULL DEFAULT 0,
    refunded        bigint NOT NULL DEFAULT 0
);

-- No order comes in between the counting and the first one that is counted by the new code.
LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE orders NO FORCE ROW LEVEL SECURITY;
INSERT INTO product_sales (shop_id, day, product_id, pieces, revenue, cost, profit)
    SELECT shop_id, sale_date, product_id, sum(quantity), sum(revenue), sum(cost * quantity), sum(profit)
    FROM orders WHERE status NOT IN ('cancelled', 'refunded') GROUP BY shop_id, sale_date, product_id;
INSERT INTO order_counts (shop_id, pending, confirmed, fulfilled, cancelled, refunded)
    SELECT shop_id, count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'confirmed'), count(*) FILTER (WHERE status = 'fulfilled'),
           count(*) FILTER (WHERE status = 'cancelled'), count(*) FILTER (WHERE status = 'refunded')
    FROM orders WHERE line_no = 1 GROUP BY shop_id;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['product_sales', 'order_counts'] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON public.%I USING (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int) '
                       'WITH CHECK (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int)', t);
    END LOOP;
END $$;

-- The nightly recount visits every shop: an outbox row each, which the relay pushes in that shop's scope.
CREATE FUNCTION system.enqueue_for_every_shop(p_queue text, p_key text) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH rows AS (INSERT INTO outbox (shop_id, queue, key, payload) SELECT s.id, p_queue, p_key, '{}'::jsonb FROM shops s RETURNING 1)
    SELECT count(*) FROM rows
$$;
REVOKE EXECUTE ON FUNCTION system.enqueue_for_every_shop(text, text) FROM PUBLIC;
