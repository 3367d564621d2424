-- People who forgot a password, or are invited, choose one by a link; and people show that an address is theirs.
ALTER TABLE users
    ADD COLUMN email_confirmed_at timestamptz,   -- when somebody showed that they read this address
    ADD COLUMN invited_at timestamptz;           -- when a colleague was invited; null for owners who registered, and once the colleague has joined

-- Who forgot a password, or was invited, names a user and no shop; the link they hold says which password it replaces.
CREATE POLICY crossing ON audit TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE FUNCTION system.reset_password(p_user integer, p_replaces text, p_password_hash text) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH changed AS (
        UPDATE users u SET password_hash = p_password_hash, email_confirmed_at = coalesce(u.email_confirmed_at, now()), invited_at = NULL
        WHERE u.id = p_user AND u.active AND encode(sha256(convert_to(u.password_hash, 'UTF8')), 'hex') = p_replaces
        RETURNING u.shop_id, u.id),
    noted AS (
        INSERT INTO audit (shop_id, actor, action, subject)
        SELECT c.shop_id, 'user:' || c.id, 'reset_password', 'user:' || c.id FROM changed c)
    -- The same reset once more, after a crash: it stands.
    SELECT EXISTS (SELECT FROM changed) OR EXISTS (SELECT FROM users u WHERE u.id = p_user AND u.active AND u.password_hash = p_password_hash)
$$;
REVOKE EXECUTE ON FUNCTION system.reset_password(integer, text, text) FROM PUBLIC;

CREATE FUNCTION system.confirm_email(p_user integer, p_email text) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH confirmed AS (
        UPDATE users u SET email_confirmed_at = coalesce(u.email_confirmed_at, now())
        WHERE u.id = p_user AND u.active AND encode(sha256(convert_to(u.email, 'UTF8')), 'hex') = p_email
        RETURNING u.id)
    SELECT EXISTS (SELECT FROM confirmed)
$$;
REVOKE EXECUTE ON FUNCTION system.confirm_email(integer, text) FROM PUBLIC;
