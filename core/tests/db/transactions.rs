//! Transactions: what a caller who hangs up, a panic, a failed statement or a slow one leaves behind is nothing.

use std::time::{Duration, Instant};

use crate::postgres::{TestDb, product, shop, stock_of};
use frontdesk_core::db::{Db, DbError, PoolSettings, TxKind, products};
use frontdesk_core::ids::ProductId;
use frontdesk_core::tenancy::ShopScope;
use tokio_postgres::Client;

/// Waits until `count` of the query is `wanted`.
async fn until(raw: &Client, query: &str, wanted: i64) {
    let begun = Instant::now();
    loop {
        let count: i64 = raw.query_one(query, &[]).await.unwrap().get(0);
        if count == wanted {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "still {count}: {query}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'frontdesk_test_app' AND xact_start IS NOT NULL";

async fn lock_and_wait(
    db: &Db,
    scope: &ShopScope,
    id: ProductId,
    held: tokio::sync::mpsc::Sender<()>,
    go: std::sync::Arc<tokio::sync::Semaphore>,
) -> Result<(), DbError> {
    db.shop_tx(scope, TxKind::Turn, async move |mut tx| {
        products::lock(&mut tx, &[id]).await?;
        let _ = held.send(()).await;
        let _permit = go.acquire().await;
        products::set_keywords(&mut tx, id, "ended").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_neither_cuts_the_work_nor_leaves_a_lock() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let shop = shop(&app, "hangup").await;
    let item = product(&app, &shop.scope, "Red 42", "1", "0", 5).await;
    let raw = db.raw(&db.superuser_url()).await;
    for _ in 0..25 {
        let (held, mut holding) = tokio::sync::mpsc::channel(1);
        let go = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let (app, id, on) = (app.clone(), item.id, go.clone());
        let caller = tokio::spawn(async move { lock_and_wait(&app, &shop.scope, id, held, on).await });
        holding.recv().await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go.add_permits(1);
        until(&raw, OPEN, 0).await;
    }
    let keywords: String = raw.query_one("SELECT keywords FROM products", &[]).await.unwrap().get(0);
    assert_eq!(keywords, "ended", "the work goes on to its end");
    // Nobody holds the row, and no connection was lost.
    raw.execute("UPDATE products SET stock = 4", &[]).await.unwrap();
    assert_eq!(stock_of(&app, &shop.scope, &item).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_never_ends_is_ended_by_its_limit() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "stuck").await;
    let item = product(&app, &shop.scope, "Red 42", "1", "0", 5).await;
    let raw = db.raw(&db.superuser_url()).await;
    let (held, mut holding) = tokio::sync::mpsc::channel(1);
    let never = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let (stuck, id) = (app.clone(), item.id);
    let caller = tokio::spawn(async move { lock_and_wait(&stuck, &shop.scope, id, held, never).await });
    holding.recv().await.unwrap();
    // Postgres ends a transaction that idles; if it did not, ours would.
    until(&raw, OPEN, 0).await;
    caller.abort();
    assert_eq!(stock_of(&app, &shop.scope, &item).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_so_long_and_no_longer() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "waits").await;
    let item = product(&app, &shop.scope, "Red 42", "1", "0", 5).await;
    let raw = db.raw(&db.superuser_url()).await;
    raw.batch_execute("BEGIN; UPDATE products SET stock = 1").await.unwrap();
    let id = item.id;
    let refused = app.shop_tx(&shop.scope, TxKind::Turn, async move |mut tx| products::lock(&mut tx, &[id]).await).await.unwrap_err();
    assert!(matches!(refused, DbError::Timeout(_)) && refused.is_transient(), "{refused}");
    raw.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_panics_and_swallowed_failures_are_rolled_back() {
    let db = TestDb::new().await;
    let app = db.app(1).await;
    let shop = shop(&app, "rolled").await;
    let item = product(&app, &shop.scope, "Red 42", "1", "0", 5).await;
    let id = item.id;
    let refused: Result<(), DbError> = app
        .shop_tx(&shop.scope, TxKind::Command, async move |mut tx| {
            products::set_keywords(&mut tx, id, "by an error").await?;
            Err(DbError::NotFound)
        })
        .await;
    assert!(matches!(refused, Err(DbError::NotFound)));
    let (panicking, scope) = (app.clone(), shop.scope);
    let panicked = tokio::spawn(async move {
        panicking
            .shop_tx(&scope, TxKind::Command, async move |mut tx| -> Result<(), DbError> {
                products::set_keywords(&mut tx, id, "by a panic").await?;
                panic!("meant");
            })
            .await
    })
    .await;
    assert!(panicked.unwrap_err().is_panic(), "the caller sees the panic");
    let swallowed = app
        .shop_tx(&shop.scope, TxKind::Command, async move |mut tx| {
            products::set_keywords(&mut tx, id, "by a swallowed failure").await?;
            // A NUL makes the statement fail; whoever ignores that must not believe in a commit.
            assert!(products::set_keywords(&mut tx, id, "\0").await.is_err());
            Ok::<_, DbError>(())
        })
        .await;
    assert!(matches!(swallowed, Err(DbError::Conflict)), "{swallowed:?}");
    let raw = db.raw(&db.superuser_url()).await;
    assert_eq!(raw.query_one("SELECT keywords FROM products", &[]).await.unwrap().get::<_, String>(0), "");
    assert_eq!(stock_of(&app, &shop.scope, &item).await, 5, "the pool of one still works");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_cannot_write() {
    let db = TestDb::new().await;
    let app = db.app(1).await;
    let shop = shop(&app, "reads").await;
    let item = product(&app, &shop.scope, "Red 42", "1", "0", 5).await;
    let id = item.id;
    let refused = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| products::archive(&mut tx, id).await).await;
    assert!(refused.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_transaction_of_a_connection_starts_without_a_shop() {
    let db = TestDb::new().await;
    let app = db.app(1).await;
    let (one, two) = (shop(&app, "one").await, shop(&app, "two").await);
    product(&app, &one.scope, "Red 42", "1", "0", 5).await;
    let seen = app
        .shop_tx(&two.scope, TxKind::Read, async move |mut tx| products::list(&mut tx, &products::ProductFilter::default(), 10).await)
        .await
        .unwrap();
    assert!(seen.is_empty());
    app.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_postgres_closed_are_replaced_unseen() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let shop = shop(&app, "closed").await;
    let item = product(&app, &shop.scope, "Red 42", "1", "0", 5).await;
    let raw = db.raw(&db.superuser_url()).await;
    for _ in 0..5 {
        raw.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'frontdesk_test_app'",
            &[],
        )
        .await
        .unwrap();
        until(&raw, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'frontdesk_test_app'", 0).await;
        assert_eq!(stock_of(&app, &shop.scope, &item).await, 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_pool_answers_that_it_is_busy_instead_of_waiting_for_ever() {
    let db = TestDb::new().await;
    let app = Db::connect(&db.app_url().into(), PoolSettings { size: 1, wait: Duration::from_millis(100) }).await.unwrap();
    let shop = shop(&app, "full").await;
    let item = product(&app, &shop.scope, "Red 42", "1", "0", 5).await;
    let (held, mut holding) = tokio::sync::mpsc::channel(1);
    let go = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let (busy, id, on) = (app.clone(), item.id, go.clone());
    let caller = tokio::spawn(async move { lock_and_wait(&busy, &shop.scope, id, held, on).await });
    holding.recv().await.unwrap();
    let refused = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| products::find(&mut tx, id).await).await.unwrap_err();
    assert!(matches!(refused, DbError::Busy), "{refused}");
    go.add_permits(1);
    caller.await.unwrap().unwrap();
}
