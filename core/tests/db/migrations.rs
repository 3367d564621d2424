//! Migrations go down and up again to the very same schema; `schema.rs` is what the database holds; a second run changes nothing.

use crate::postgres::TestDb;
use frontdesk_core::db::migrations::{MigrateError, Owner};
use secrecy::SecretString;

async fn owner(db: &TestDb) -> Owner {
    let url = |url: String| SecretString::from(url);
    Owner::connect(&url(db.owner_url()), &url(db.app_url()), &url(db.ingress_url())).await.unwrap()
}

/// Everything that makes a schema: columns, constraints, indexes, policies, functions, privileges, extensions.
async fn dump(db: &TestDb) -> Vec<String> {
    let raw = db.raw(&db.superuser_url()).await;
    let rows = raw
        .query(
            "SELECT 'column ' || table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') || ' ' || \
                    coalesce(generation_expression, '') || ' ' || is_identity AS line FROM information_schema.columns WHERE table_schema IN ('public', 'system') \
             UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
             UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT 'policy ' || polrelid::regclass || ' ' || polname || ' ' || polcmd::text || ' ' || pg_get_expr(polqual, polrelid) || ' ' || polroles::text FROM pg_policy \
             UNION ALL SELECT 'security ' || relname || ' ' || relrowsecurity || relforcerowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
             UNION ALL SELECT 'function ' || pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') FROM pg_proc p WHERE p.pronamespace IN ('public'::regnamespace, to_regnamespace('system')) AND p.prokind = 'f' AND p.prolang <> 13 \
             UNION ALL SELECT 'privilege ' || table_name || ' ' || grantee || ' ' || privilege_type FROM information_schema.role_table_grants WHERE table_schema = 'public' \
             UNION ALL SELECT 'privilege ' || table_name || '.' || column_name || ' ' || grantee || ' ' || privilege_type FROM information_schema.column_privileges WHERE table_schema = 'public' \
             UNION ALL SELECT 'extension ' || extname || ' ' || extversion FROM pg_extension ORDER BY line",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_is_undone_and_done_again_to_the_same_schema() {
    let db = TestDb::empty().await;
    let empty = dump(&db).await;
    let (applied, _) = owner(&db).await.up().await.unwrap();
    assert!(applied.len() >= 4);
    let whole = dump(&db).await;
    for url in [db.app_url(), db.ingress_url()] {
        assert!(db.raw(&url).await.batch_execute("CREATE TEMP TABLE mine (id int)").await.is_err(), "not even a temporary table");
    }
    // One by one: each `down.sql` leaves what its forerunners made.
    for _ in &applied {
        owner(&db).await.down(false).await.unwrap();
    }
    let left: Vec<String> = dump(&db).await.into_iter().filter(|line| !line.contains("__diesel_schema_migrations")).collect();
    assert_eq!(left, empty, "something is left behind");
    assert_eq!(owner(&db).await.status().await.unwrap().pending, applied);
    assert_eq!(owner(&db).await.up().await.unwrap().0, applied);
    assert_eq!(dump(&db).await, whole);
    assert_eq!(owner(&db).await.down(true).await.unwrap().len(), applied.len());
    assert_eq!(owner(&db).await.up().await.unwrap().0, applied);
    assert_eq!(dump(&db).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_changes_nothing_and_takes_back_what_was_granted_beside_it() {
    let db = TestDb::new().await;
    let before = dump(&db).await;
    let raw = db.raw(&db.superuser_url()).await;
    raw.batch_execute("GRANT INSERT ON orders TO frontdesk_test_ingress; GRANT SELECT ON admins TO frontdesk_test_app").await.unwrap();
    assert_ne!(dump(&db).await, before);
    let (applied, _) = owner(&db).await.up().await.unwrap();
    assert!(applied.is_empty());
    assert_eq!(dump(&db).await, before);
    let status = owner(&db).await.status().await.unwrap();
    assert!(status.pending.is_empty() && status.applied.len() >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_the_same_moment_wait_for_one_another() {
    let db = TestDb::empty().await;
    let runs = futures_util::future::join_all((0..4).map(|_| async { owner(&db).await.up().await.unwrap().0.len() })).await;
    assert_eq!(runs.iter().filter(|applied| **applied > 0).count(), 1, "{runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_roles_must_be_three() {
    let db = TestDb::new().await;
    let url = |url: String| SecretString::from(url);
    let same = Owner::connect(&url(db.owner_url()), &url(db.app_url()), &url(db.app_url())).await.unwrap_err();
    assert!(matches!(same, MigrateError::Roles(_)) && same.to_string().contains("DATABASE_URL"), "{same}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_saved_once_and_found_by_log_in() {
    let db = TestDb::new().await;
    let mut owner = owner(&db).await;
    for hash in ["$2b$one", "$2b$two"] {
        owner.save_admin("Admin@frontdesk.example", hash).await.unwrap();
    }
    assert_eq!(owner.admin_hash("admin@frontdesk.example").await.unwrap().as_deref(), Some("$2b$two"));
    let ingress = db.ingress().await;
    let login = ingress.find_login("admin@frontdesk.example").await.unwrap().unwrap();
    let frontdesk_core::db::system::LoginWho::Admin { admin } = login.who else { panic!("not an administrator") };
    assert_eq!(ingress.find_admin(admin).await.unwrap().as_deref(), Some("admin@frontdesk.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_is_what_the_database_holds() {
    let db = TestDb::new().await;
    let raw = db.raw(&db.superuser_url()).await;
    let live: String = raw.query_one(include_str!("../support/schema.sql"), &[]).await.unwrap().get(0);
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db/schema.rs");
    let written = std::fs::read_to_string(&file).unwrap();
    if live.trim() != written.trim() {
        let made = std::env::temp_dir().join("frontdesk-schema.rs");
        std::fs::write(&made, live.trim().to_owned() + "\n").unwrap();
        panic!("core/src/db/schema.rs is stale; the database holds what is now in {}", made.display());
    }
}
