-- Two people who change the shop's settings at once: the second is told, instead of undoing what the first did.
ALTER TABLE shops ADD COLUMN version integer NOT NULL DEFAULT 1;

-- What the owner looks up: who changed what.
CREATE INDEX audit_subject ON audit (shop_id, subject, id DESC);

-- Administration reads the raw events of every shop, by whatever it knows of them.
CREATE FUNCTION system.list_logs(p_shop integer, p_platform text, p_direction text, p_kind text, p_from timestamptz, p_to timestamptz,
    p_before_at timestamptz, p_before_id bigint, p_limit integer)
    RETURNS TABLE (id bigint, created_at timestamptz, shop_id integer, direction text, platform text, external_id text, kind text, payload jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.id, l.created_at, l.shop_id, l.direction, l.platform, l.external_id, l.kind, l.payload FROM logs l
    WHERE l.created_at >= p_from AND l.created_at < p_to
      AND (p_before_at IS NULL OR (l.created_at, l.id) < (p_before_at, p_before_id))
      AND (p_shop IS NULL OR l.shop_id = p_shop)
      AND (p_platform IS NULL OR l.platform = p_platform)
      AND (p_direction IS NULL OR l.direction = p_direction)
      AND (p_kind IS NULL OR l.kind = p_kind)
    ORDER BY l.created_at DESC, l.id DESC LIMIT least(greatest(p_limit, 0), 201)
$$;
REVOKE EXECUTE ON FUNCTION system.list_logs(integer, text, text, text, timestamptz, timestamptz, timestamptz, bigint, integer) FROM PUBLIC;
CREATE INDEX logs_age ON logs (created_at DESC, id DESC);
