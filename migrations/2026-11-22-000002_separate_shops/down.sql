DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['shops', 'users', 'channels', 'order_numbers', 'requests', 'outbox', 'logs', 'logs_default'] LOOP
        EXECUTE format('DROP POLICY crossing ON public.%I', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['shops',
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
        EXECUTE format('DROP POLICY tenant ON public.%I', t);
        EXECUTE format('ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE public.%I DISABLE ROW LEVEL SECURITY', t);
    END LOOP;
END $$;
