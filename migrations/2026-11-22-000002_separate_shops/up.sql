-- Postgres itself keeps shops apart: row-level security, forced, one policy for reading and writing. A setting that is unset or empty means no rows.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY[
        'users',
        'channels',
        'products',
        'customers',
        'customer_aliases',
        'conversations',
        'turns',
        'messages',
        'proposals',
        'order_numbers',
        'orders',
        'order_events',
        'daily_sales',
        'usage',
        'model_usage',
        'requests',
        'outbox',
        'audit',
        'logs',
        'logs_default'
    ] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON public.%I USING (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int) '
                       'WITH CHECK (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int)', t);
    END LOOP;
END $$;

ALTER TABLE shops ENABLE ROW LEVEL SECURITY;
ALTER TABLE shops FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shops
    USING (id = nullif(current_setting('app.shop_id', true), '')::int)
    WITH CHECK (id = nullif(current_setting('app.shop_id', true), '')::int);

-- The functions that must cross shops run as the owner, who is bound by the policy above too; these are the tables they may cross.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['shops', 'users', 'channels', 'order_numbers', 'requests', 'outbox', 'logs', 'logs_default'] LOOP
        EXECUTE format('CREATE POLICY crossing ON public.%I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;
