-- A few look-ups must cross shops: login, channel, relay, housekeeping, administration. Each is a function here, is listed with its reason in
-- core/src/db/system.rs, and is granted by role when migrations run. Nobody else may call one.
CREATE SCHEMA system;

CREATE FUNCTION system.find_channel(p_platform text, p_external_id text)
    RETURNS TABLE (shop_id integer, id integer, platform text, external_id text, name text, phone text, login text, sealed_token text, status text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.shop_id, c.id, c.platform, c.external_id, c.name, c.phone, c.login, c.sealed_token, c.status FROM channels c
    WHERE c.platform = p_platform AND c.external_id = p_external_id AND c.status <> 'removed'
$$;

CREATE FUNCTION system.find_login(p_email text) RETURNS TABLE (user_id integer, admin_id integer, shop_id integer, password_hash text, role text, active boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, NULL::integer, u.shop_id, u.password_hash, u.role, u.active FROM users u WHERE u.email = lower(p_email)
    UNION ALL
    SELECT NULL, a.id, NULL, a.password_hash, 'admin', true FROM admins a WHERE a.email = lower(p_email)
    ORDER BY 2 NULLS LAST LIMIT 1
$$;

CREATE FUNCTION system.find_admin(p_admin integer) RETURNS TABLE (email text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.email FROM admins a WHERE a.id = p_admin
$$;

CREATE FUNCTION system.register_shop(p_registration text, p_shop_name text, p_kind text, p_email text, p_password_hash text, p_timezone text, p_currency text,
    p_locale text, p_trial_days integer, p_now timestamptz) RETURNS TABLE (shop_id integer, user_id integer, is_new boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_shop integer; v_user integer;
BEGIN
    -- One registration at a time per request, so that a repeat waits and then finds the shop.
    PERFORM pg_advisory_xact_lock(hashtextextended('register:' || p_registration, 0));
    SELECT s.id, u.id INTO v_shop, v_user FROM shops s JOIN users u ON u.shop_id = s.id AND u.role = 'owner' AND u.email = lower(p_email)
    WHERE s.registration = p_registration;
    IF FOUND THEN
        RETURN QUERY SELECT v_shop, v_user, false;
        RETURN;
    END IF;
    INSERT INTO shops (registration, name, kind, timezone, currency, locale, plan, status, trial_ends_at, handoff_email, created_at, updated_at)
    VALUES (p_registration, p_shop_name, p_kind, p_timezone, p_currency, p_locale, 'trial',
            CASE WHEN p_trial_days > 0 THEN 'active' ELSE 'inactive' END, p_now + make_interval(days => p_trial_days), lower(p_email), p_now, p_now)
    RETURNING id INTO v_shop;
    INSERT INTO users (shop_id, email, password_hash, role, created_at) VALUES (v_shop, lower(p_email), p_password_hash, 'owner', p_now)
    RETURNING id INTO v_user;
    INSERT INTO order_numbers (shop_id) VALUES (v_shop);
    RETURN QUERY SELECT v_shop, v_user, true;
END
$$;

CREATE FUNCTION system.list_shops(p_after integer, p_limit integer) RETURNS TABLE (id integer, name text, kind text, plan text, status text, owner_email text, channels bigint, created_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.id, s.name, s.kind, s.plan, s.status,
           (SELECT u.email FROM users u WHERE u.shop_id = s.id AND u.role = 'owner' ORDER BY u.id LIMIT 1),
           (SELECT count(*) FROM channels c WHERE c.shop_id = s.id AND c.status <> 'removed'), s.created_at
    FROM shops s WHERE s.id > p_after ORDER BY s.id LIMIT least(greatest(p_limit, 0), 201)
$$;

CREATE FUNCTION system.claim_outbox(p_limit integer, p_grace_ms integer, p_again_ms integer) RETURNS TABLE (shop_id integer, id bigint, queue text, key text, payload jsonb, run_at timestamptz)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE outbox o SET claimed_at = clock_timestamp()
    FROM (SELECT w.shop_id, w.id FROM outbox w
          WHERE w.created_at < clock_timestamp() - p_grace_ms * interval '1 millisecond'
            AND (w.claimed_at IS NULL OR w.claimed_at < clock_timestamp() - p_again_ms * interval '1 millisecond')
          ORDER BY w.created_at LIMIT least(greatest(p_limit, 0), 1000) FOR UPDATE SKIP LOCKED) due
    WHERE o.shop_id = due.shop_id AND o.id = due.id
    RETURNING o.shop_id, o.id, o.queue, o.key, o.payload, o.run_at
$$;

CREATE FUNCTION system.delete_outbox(p_shops integer[], p_ids bigint[]) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM outbox o USING unnest(p_shops, p_ids) AS pushed (shop_id, id)
        WHERE o.shop_id = pushed.shop_id AND o.id = pushed.id RETURNING 1)
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION system.drop_old_requests(p_before timestamptz, p_limit integer) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH old AS (SELECT r.shop_id, r.key FROM requests r WHERE r.created_at < p_before ORDER BY r.created_at LIMIT least(greatest(p_limit, 0), 10000)
                 FOR UPDATE SKIP LOCKED),
         gone AS (DELETE FROM requests r USING old WHERE r.shop_id = old.shop_id AND r.key = old.key RETURNING 1)
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION system.log_unknown_channel(p_at timestamptz, p_platform text, p_external_id text, p_kind text, p_dedupe_key text, p_payload jsonb) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO logs (created_at, shop_id, direction, platform, external_id, kind, dedupe_key, payload)
    VALUES (p_at, NULL, 'in', p_platform, p_external_id, p_kind, p_dedupe_key, p_payload)
$$;

CREATE FUNCTION system.ensure_log_partitions(p_now timestamptz) RETURNS text[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_from timestamptz;
    v_to timestamptz;
    v_name text;
    v_made text[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('system.log_partitions', 0));
    FOR v_month IN 0..1 LOOP
        v_from := (date_trunc('month', p_now AT TIME ZONE 'UTC') + v_month * interval '1 month') AT TIME ZONE 'UTC';
        v_to := (date_trunc('month', p_now AT TIME ZONE 'UTC') + (v_month + 1) * interval '1 month') AT TIME ZONE 'UTC';
        v_name := 'logs_' || to_char(v_from AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || v_name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.logs INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', v_name);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', v_name);
        EXECUTE format('CREATE POLICY tenant ON public.%I USING (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int) '
                       'WITH CHECK (shop_id = nullif(current_setting(''app.shop_id'', true), '''')::int)', v_name);
        EXECUTE format('CREATE POLICY crossing ON public.%I TO CURRENT_USER USING (true) WITH CHECK (true)', v_name);
        -- Rows that came before their partition stand in the default one; they must be out of it before the partition is attached.
        EXECUTE format('WITH moved AS (DELETE FROM public.logs_default WHERE created_at >= %L AND created_at < %L RETURNING *) '
                       'INSERT INTO public.%I SELECT * FROM moved', v_from, v_to, v_name);
        EXECUTE format('ALTER TABLE public.logs ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_to);
        v_made := v_made || v_name;
    END LOOP;
    RETURN v_made;
END
$$;

CREATE FUNCTION system.drop_old_logs(p_now timestamptz, p_keep_days integer) RETURNS text[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_name text;
    v_dropped text[] := '{}';
BEGIN
    IF p_keep_days < 1 THEN RAISE EXCEPTION 'logs are kept for a day at least'; END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('system.log_partitions', 0));
    FOR v_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.logs'::regclass AND c.relname ~ '^logs_[0-9]{4}_[0-9]{2}$'
          AND (to_date(substr(c.relname, 6), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= p_now - make_interval(days => p_keep_days)
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE public.%I', v_name);
        v_dropped := v_dropped || v_name;
    END LOOP;
    DELETE FROM public.logs_default WHERE created_at < p_now - make_interval(days => p_keep_days);
    RETURN v_dropped;
END
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA system FROM PUBLIC;
