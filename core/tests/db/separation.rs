//! Shops are kept apart by Postgres itself: rules on the live catalogue, and raw SQL that tries to get around them.

use crate::postgres::{TestDb, at, product, shop};
use frontdesk_core::db::{ConnectError, Db, DbError, PoolSettings, TxKind, channels, orders, products, roles, system, users};
use frontdesk_core::inbound::{ChannelKey, Platform};

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_a_shop_is_forced_to_show_that_shop_alone() {
    let db = TestDb::new().await;
    let raw = db.raw(&db.superuser_url()).await;
    let policy = "(shop_id = (NULLIF(current_setting('app.shop_id'::text, true), ''::text))::integer)";
    let rows = raw
        .query(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polname, p.polcmd::text, pg_get_expr(p.polqual, p.polrelid), \
                    pg_get_expr(p.polwithcheck, p.polrelid), p.polroles = '{0}'::oid[] AS everybody, p.polpermissive \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id' \
             LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname <> 'crossing' \
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() >= 20, "found {} tables", rows.len());
    for row in rows {
        let table: String = row.get(0);
        assert!(row.get::<_, bool>(1) && row.get::<_, bool>(2), "{table}: row-level security is not forced");
        assert_eq!(row.get::<_, Option<String>>(3).as_deref(), Some("tenant"), "{table}");
        assert_eq!(row.get::<_, String>(4), "*", "{table}: the policy must hold for every command");
        assert_eq!(row.get::<_, Option<String>>(5).as_deref(), Some(policy), "{table}: USING");
        assert_eq!(row.get::<_, Option<String>>(6).as_deref(), Some(policy), "{table}: WITH CHECK");
        assert!(row.get::<_, bool>(7) && row.get::<_, bool>(8), "{table}: the policy must bind everybody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_crosses_and_only_where_a_door_needs_it() {
    let db = TestDb::new().await;
    let raw = db.raw(&db.superuser_url()).await;
    let rows = raw
        .query(
            "SELECT p.polrelid::regclass::text, (SELECT array_agg(rolname::text) FROM pg_roles WHERE oid = ANY (p.polroles)) FROM pg_policy p \
             JOIN pg_class c ON c.oid = p.polrelid WHERE p.polname <> 'tenant' AND c.relname !~ '^logs_' ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    let tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        tables,
        ["audit", "channels", "integrations", "logs", "order_numbers", "outbox", "requests", "shops", "subscriptions", "users"]
    );
    for row in rows {
        assert_eq!(row.get::<_, Vec<String>>(1), ["frontdesk_test_owner"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_references_of_tenant_tables_include_the_shop() {
    let db = TestDb::new().await;
    let raw = db.raw(&db.superuser_url()).await;
    // The log is partitioned by time, and rows of unknown channels have no shop.
    let wrong = raw
        .query(
            "WITH tenant AS (SELECT c.oid, c.relname, a.attnum FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id' \
                             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname !~ '^logs') \
             SELECT t.relname || '.' || k.conname FROM tenant t JOIN pg_constraint k ON k.conrelid = t.oid \
             WHERE (k.contype = 'p' AND k.conkey[1] <> t.attnum) \
                OR (k.contype = 'f' AND k.confrelid <> 'shops'::regclass AND NOT (k.conkey[1] = t.attnum AND cardinality(k.conkey) >= 2)) \
             UNION ALL SELECT t.relname || ' has no primary key' FROM tenant t WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p') \
             UNION ALL SELECT t.relname || ' does not refer to shops' FROM tenant t \
                WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'f' AND k.confrelid = 'shops'::regclass)",
            &[],
        )
        .await
        .unwrap();
    let wrong: Vec<String> = wrong.iter().map(|row| row.get(0)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_are_bound_own_nothing_and_make_nothing() {
    let db = TestDb::new().await;
    for url in [db.app_url(), db.ingress_url()] {
        let raw = db.raw(&url).await;
        let row = raw
            .query_one(
                "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication, \
                        EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) OR EXISTS (SELECT FROM pg_proc WHERE proowner = r.oid), \
                        EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid), \
                        has_schema_privilege('public', 'CREATE') OR has_schema_privilege('system', 'CREATE'), \
                        current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout') \
                 FROM pg_roles r WHERE rolname = current_user",
                &[],
            )
            .await
            .unwrap();
        for column in 0..4 {
            assert!(!row.get::<_, bool>(column), "column {column} for {url}");
        }
        for (column, limit) in [(4, "1min"), (5, "5s"), (6, "30s")] {
            assert_eq!(row.get::<_, String>(column), limit);
        }
        for ddl in ["CREATE TABLE mine (id int)", "ALTER TABLE orders DISABLE ROW LEVEL SECURITY", "DROP TABLE audit", "TRUNCATE orders"] {
            assert!(raw.batch_execute(ddl).await.is_err(), "{ddl}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn privileges_are_those_of_the_table_in_roles_and_no_others() {
    let db = TestDb::new().await;
    let raw = db.raw(&db.superuser_url()).await;
    let tables = raw
        .query(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
            &[],
        )
        .await
        .unwrap();
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        let grant = roles::GRANTS.iter().find(|grant| grant.table == table);
        assert!(grant.is_some() || ["admins", "__diesel_schema_migrations"].contains(&table.as_str()), "{table} is in no role's table");
        for (role, may) in [
            ("frontdesk_test_app", grant.map_or("", |grant| grant.app)),
            ("frontdesk_test_ingress", grant.map_or("", |grant| grant.ingress)),
        ] {
            for privilege in ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"] {
                let row = raw
                    .query_one("SELECT has_table_privilege($1, 'public.' || quote_ident($2), $3)", &[&role, &table, &privilege])
                    .await
                    .unwrap();
                let whole = may.split(", ").any(|word| word == privilege);
                assert_eq!(row.get::<_, bool>(0), whole, "{role} {privilege} {table}");
            }
        }
    }
    let ingress = db.raw(&db.ingress_url()).await;
    for secret in [
        "SELECT sealed_token FROM channels",
        "SELECT password_hash FROM users",
        "SELECT * FROM outbox",
        "SELECT * FROM admins",
        "SELECT * FROM logs_default",
    ] {
        assert!(ingress.query(secret, &[]).await.is_err(), "{secret}");
    }
    for write in ["UPDATE products SET stock = 1", "INSERT INTO usage (shop_id, month) VALUES (1, now())", "DELETE FROM orders"] {
        assert!(ingress.execute(write, &[]).await.is_err(), "{write}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_are_those_listed_with_a_fixed_path_and_by_role() {
    let db = TestDb::new().await;
    let raw = db.raw(&db.superuser_url()).await;
    let rows = raw
        .query(
            "SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', \
                    p.proname || '(' || (SELECT coalesce(string_agg(format_type(t, NULL), ', ' ORDER BY o), '') FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, o)) || ')', \
                    n.nspname::text, coalesce(array_to_string(p.proconfig, ','), ''), pg_get_userbyid(p.proowner)::text, \
                    has_function_privilege('frontdesk_test_app', p.oid, 'EXECUTE'), has_function_privilege('frontdesk_test_ingress', p.oid, 'EXECUTE'), \
                    has_function_privilege('public', p.oid, 'EXECUTE') \
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
            &[],
        )
        .await
        .unwrap();
    let mut found: Vec<(String, bool, bool)> = Vec::new();
    for row in &rows {
        let function: String = row.get(1);
        assert_eq!(row.get::<_, String>(2), "system", "{function}");
        assert_eq!(row.get::<_, String>(3), "search_path=pg_catalog, public, pg_temp", "{function}");
        assert_eq!(row.get::<_, String>(4), "frontdesk_test_owner", "{function}");
        assert!(!row.get::<_, bool>(7), "{function} is open to everybody");
        found.push((function, row.get(5), row.get(6)));
    }
    let mut listed: Vec<(String, bool, bool)> =
        system::DOORS.iter().map(|door| (door.function.to_owned(), door.app, door.ingress)).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
    assert!(system::DOORS.iter().all(|door| !door.why.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_sql_without_a_shop_sees_nothing_and_writes_nothing() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let mine = shop(&app, "mine").await;
    product(&app, &mine.scope, "Red 42", "59.90", "20", 3).await;
    let raw = db.raw(&db.app_url()).await;
    for setting in ["", "SET app.shop_id = ''"] {
        raw.batch_execute(setting).await.unwrap();
        for grant in roles::GRANTS {
            let rows = raw.query_one(&format!("SELECT count(*) FROM {}", grant.table), &[]).await.unwrap();
            assert_eq!(rows.get::<_, i64>(0), 0, "{} with `{setting}`", grant.table);
        }
        assert_eq!(raw.execute("UPDATE products SET stock = 99", &[]).await.unwrap(), 0);
        assert_eq!(raw.execute("DELETE FROM products", &[]).await.unwrap(), 0);
        let insert = format!("INSERT INTO products (shop_id, name, price, cost, stock) VALUES ({}, 'x', 1, 1, 1)", mine.scope.shop());
        let refused = raw.execute(&insert, &[]).await.unwrap_err();
        assert!(refused.as_db_error().is_some_and(|error| error.message().contains("row-level security")), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_shop_reaches_nothing_of_another() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let (mine, theirs) = (shop(&app, "mine").await, shop(&app, "theirs").await);
    let their_product = product(&app, &theirs.scope, "Red 42", "59.90", "20", 3).await;
    let (id, owner) = (their_product.id, theirs.owner);
    app.shop_tx(&mine.scope, TxKind::Command, async move |mut tx| {
        assert!(products::find(&mut tx, id).await?.is_none());
        assert!(!products::archive(&mut tx, id).await?);
        assert!(users::find(&mut tx, owner).await?.is_none());
        assert_eq!(users::list(&mut tx).await?.len(), 1);
        assert!(orders::list(&mut tx, orders::OrderFilter::default(), 50).await?.is_empty());
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    // Raw SQL within one shop, aimed at the other by id.
    let raw = db.raw(&db.app_url()).await;
    raw.batch_execute(&format!("SET app.shop_id = {}", mine.scope.shop())).await.unwrap();
    let (me, them) = (mine.scope.shop().0, theirs.scope.shop().0);
    assert_eq!(raw.execute("UPDATE products SET stock = 0 WHERE shop_id = $1", &[&them]).await.unwrap(), 0);
    assert_eq!(raw.execute("UPDATE shops SET name = 'taken' WHERE id = $1", &[&them]).await.unwrap(), 0);
    assert!(raw.execute("UPDATE users SET shop_id = $1", &[&them]).await.is_err(), "a row must not leave its shop");
    assert!(raw.execute("INSERT INTO audit (shop_id, actor, action, subject) VALUES ($1, 'a', 'b', 'c')", &[&them]).await.is_err());
    // A reference across shops fails on the composite key, whatever row-level security says.
    let order = "INSERT INTO orders (shop_id, order_no, line_no, product_id, product_name, quantity, price, cost, revenue, profit, status, source, sale_date) \
                 VALUES ($1, 1, 1, $2, 'x', 1, 1, 0, 1, 1, 'pending', 'staff', now())";
    let refused = raw.execute(order, &[&me, &id.0]).await.unwrap_err();
    assert!(refused.as_db_error().is_some_and(|error| error.constraint() == Some("orders_shop_id_product_id_fkey")), "{refused}");
    assert_eq!(crate::postgres::stock_of(&app, &theirs.scope, &their_product).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_refuses_a_role_that_is_not_bound() {
    let db = TestDb::new().await;
    for url in [db.superuser_url(), db.owner_url()] {
        let refused = Db::connect(&url.into(), PoolSettings::SCHEDULER).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Unbound { .. }), "{refused}");
    }
    let raw = db.raw(&db.superuser_url()).await;
    raw.batch_execute("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'frontdesk_test_member') THEN CREATE ROLE frontdesk_test_member LOGIN PASSWORD 'test-only'; END IF; END $$; GRANT frontdesk_test_owner TO frontdesk_test_member").await.unwrap();
    let member = db.app_url().replace("frontdesk_test_app", "frontdesk_test_member");
    let refused = Db::connect(&member.into(), PoolSettings::SCHEDULER).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Unbound { why: "owns tables, or may become their owner", .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_belongs_to_one_shop_and_a_removed_one_is_free_again() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let (mine, theirs) = (shop(&app, "mine").await, shop(&app, "theirs").await);
    let key = ChannelKey { platform: Platform::Whatsapp, external_id: "2044".to_owned() };
    let input = channels::ChannelInput {
        key: key.clone(),
        name: "WA".to_owned(),
        phone: None,
        instagram_login: false,
        sealed_token: Some("v1.k.x".to_owned()),
    };
    let save = |scope| {
        let (app, input) = (app.clone(), input.clone());
        async move { app.shop_tx(&scope, TxKind::Command, async move |mut tx| channels::save(&mut tx, &input).await).await }
    };
    let (row, is_new) = save(mine.scope).await.unwrap();
    assert!(is_new && row.status == "connected");
    assert!(!save(mine.scope).await.unwrap().1);
    assert!(save(theirs.scope).await.unwrap_err().is_unique("channels_external"));
    let found = app.find_channel(&key).await.unwrap().unwrap();
    assert_eq!((found.scope(), found.id(), found.sealed_token()), (mine.scope, row.id, Some("v1.k.x")));
    let id = row.id;
    let told = app
        .shop_tx(&mine.scope, TxKind::Command, async move |mut tx| {
            Ok::<_, DbError>((channels::disconnect(&mut tx, id, 190).await?, channels::disconnect(&mut tx, id, 190).await?))
        })
        .await
        .unwrap();
    assert_eq!(told, (true, false));
    assert_eq!(app.find_channel(&key).await.unwrap().unwrap().sealed_token(), None);
    assert!(app.shop_tx(&mine.scope, TxKind::Command, async move |mut tx| channels::remove(&mut tx, id).await).await.unwrap());
    assert!(app.find_channel(&key).await.unwrap().is_none());
    assert!(save(theirs.scope).await.unwrap().1);
    assert!(save(mine.scope).await.unwrap_err().is_unique("channels_external"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_not_told_again_stays_known_until_the_token_is_another() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let scope = shop(&app, "mine").await.scope;
    let input = channels::ChannelInput {
        key: ChannelKey { platform: Platform::Whatsapp, external_id: "2045".to_owned() },
        name: "WA".to_owned(),
        phone: None,
        instagram_login: false,
        sealed_token: Some("v1.k.x".to_owned()),
    };
    let (end, first) = (at("2026-05-20T12:00:00Z"), at("2026-05-01T07:20:00Z"));
    app.shop_tx(&scope, TxKind::Command, async move |mut tx| {
        let id = channels::save(&mut tx, &input).await?.0.id;
        let seen = channels::note_look(&mut tx, id, Some(Some(end)), first).await?.unwrap();
        assert_eq!((seen.token_expires_at, seen.before), (Some(end), None));
        let later = first + chrono::TimeDelta::days(1);
        let seen = channels::note_look(&mut tx, id, None, later).await?.unwrap();
        assert_eq!((seen.token_expires_at, seen.before), (Some(end), Some(first)));
        assert!(channels::unseen_since(&mut tx, later).await?.is_empty());
        assert_eq!(channels::note_look(&mut tx, id, Some(None), later).await?.unwrap().token_expires_at, None, "it ends no more");
        channels::note_look(&mut tx, id, Some(Some(end)), later).await?;
        channels::save(&mut tx, &input).await?;
        assert_eq!(channels::unseen_since(&mut tx, first).await?.len(), 1, "another token, which nobody has looked at");
        assert_eq!(channels::note_look(&mut tx, id, None, later).await?.unwrap().token_expires_at, None);
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
}
