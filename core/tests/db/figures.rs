//! What the dashboard shows: kept with each order, and what a recount says when it was not.

use crate::postgres::{TestDb, at, money, product, shop};
use chrono::NaiveDate;
use frontdesk_core::db::migrations::Owner;
use frontdesk_core::db::orders::{self, Order, Placement};
use frontdesk_core::db::products::ProductRow;
use frontdesk_core::db::sales::{self, Differences, OrderCounts};
use frontdesk_core::db::{Db, DbError, TxKind};
use frontdesk_core::jobs::{JobName, WantedLine};
use frontdesk_core::tenancy::ShopScope;

async fn sell(db: &Db, scope: &ShopScope, lines: &[(&ProductRow, i32)], now: &str, moves: &'static [&'static str]) -> Order {
    let lines: Vec<WantedLine> = lines.iter().map(|(product, quantity)| WantedLine { product: product.id, quantity: *quantity }).collect();
    let placement = Placement {
        customer: None,
        customer_name: "Ada".to_owned(),
        contact: None,
        platform: None,
        source: "staff",
        proposal: None,
        request_key: None,
        now: at(now),
    };
    db.shop_tx(scope, TxKind::Command, async move |mut tx| {
        let mut order = orders::place(&mut tx, &lines, &placement).await.unwrap();
        for status in moves {
            order = orders::change_status(&mut tx, order.order_no, status, None, "user:1", placement.now).await.unwrap();
        }
        Ok::<_, DbError>(order)
    })
    .await
    .unwrap()
}

async fn differences(db: &Db, scope: &ShopScope) -> Differences {
    db.shop_tx(scope, TxKind::Export, async move |mut tx| sales::differences(&mut tx).await).await.unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn best_sellers_and_open_orders_follow_every_order_and_what_was_taken_back_counts_no_more() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "best").await;
    let (sock, boot) =
        (product(&app, &shop.scope, "Sock", "4.00", "1.00", 99).await, product(&app, &shop.scope, "Boot", "80.00", "50.00", 99).await);
    sell(&app, &shop.scope, &[(&sock, 10)], "2026-03-03T12:00:00Z", &[]).await;
    sell(&app, &shop.scope, &[(&sock, 5), (&boot, 1)], "2026-03-04T12:00:00Z", &["confirmed"]).await;
    sell(&app, &shop.scope, &[(&boot, 3)], "2026-03-04T13:00:00Z", &["confirmed", "fulfilled", "refunded"]).await;
    sell(&app, &shop.scope, &[(&boot, 2)], "2026-03-04T14:00:00Z", &["cancelled"]).await;
    sell(&app, &shop.scope, &[(&boot, 1)], "2026-03-09T14:00:00Z", &["fulfilled"]).await;
    let (best, one_day, counts, sums) = app
        .shop_tx(&shop.scope, TxKind::Read, async move |mut tx| {
            let best = sales::best_sellers(&mut tx, day("2026-03-01"), day("2026-03-31"), 10).await?;
            let one_day = sales::best_sellers(&mut tx, day("2026-03-03"), day("2026-03-03"), 10).await?;
            let sums = sales::summary(&mut tx, Some(day("2026-03-04")), Some(day("2026-03-04"))).await?;
            Ok::<_, DbError>((best, one_day, sales::order_counts(&mut tx).await?, sums))
        })
        .await
        .unwrap();
    let seen: Vec<_> = best.iter().map(|row| (row.name.as_str(), row.pieces, row.revenue, row.cost, row.profit)).collect();
    let expected = [("Boot", 2, money("160"), money("100"), money("60")), ("Sock", 15, money("60"), money("15"), money("45"))];
    assert_eq!(seen, expected);
    assert_eq!(one_day.iter().map(|row| row.product_id).collect::<Vec<_>>(), [sock.id]);
    assert_eq!(counts, OrderCounts { pending: 1, confirmed: 1, fulfilled: 1, cancelled: 1, refunded: 1 });
    assert_eq!((sums.orders, sums.pieces, sums.revenue, sums.profit, sums.cancelled), (1, 6, money("100"), money("45"), 2));
    assert!(differences(&app, &shop.scope).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recount_names_every_figure_that_is_off() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let (shop, other) = (shop(&app, "off").await, crate::postgres::shop(&app, "other").await);
    for scope in [&shop.scope, &other.scope] {
        let sock = product(&app, scope, "Sock", "4.00", "1.00", 99).await;
        sell(&app, scope, &[(&sock, 2)], "2026-03-03T12:00:00Z", &[]).await;
        sell(&app, scope, &[(&sock, 1)], "2026-03-05T12:00:00Z", &["cancelled"]).await;
    }
    let raw = db.raw(&db.superuser_url()).await;
    let mine = shop.scope.shop();
    raw.batch_execute(&format!(
        "UPDATE daily_sales SET revenue = revenue + 0.01 WHERE shop_id = {mine} AND day = '2026-03-03'; \
         INSERT INTO daily_sales (shop_id, day, orders) VALUES ({mine}, '2026-03-20', 1); \
         UPDATE product_sales SET pieces = 1 WHERE shop_id = {mine} AND day = '2026-03-05'; \
         UPDATE order_counts SET pending = 7 WHERE shop_id = {mine}"
    ))
    .await
    .unwrap();
    let found = differences(&app, &shop.scope).await;
    assert_eq!(found.days, [day("2026-03-03"), day("2026-03-20")]);
    assert_eq!((found.product_days.as_slice(), found.counts, found.len()), (&[day("2026-03-05")][..], true, 4));
    assert!(differences(&app, &other.scope).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_stood_before_the_figures_are_counted_when_these_are_made() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "old").await;
    let sock = product(&app, &shop.scope, "Sock", "4.00", "1.00", 99).await;
    sell(&app, &shop.scope, &[(&sock, 2)], "2026-03-03T12:00:00Z", &["confirmed"]).await;
    sell(&app, &shop.scope, &[(&sock, 1)], "2026-03-05T12:00:00Z", &["cancelled"]).await;
    let owner = async || Owner::connect(&db.owner_url().into(), &db.app_url().into(), &db.ingress_url().into()).await.unwrap();
    while !owner().await.down(false).await.unwrap().iter().any(|undone| undone.contains("000020")) {}
    owner().await.up().await.unwrap();
    assert!(differences(&app, &shop.scope).await.is_empty());
    let counts = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| sales::order_counts(&mut tx).await).await.unwrap();
    assert_eq!((counts.confirmed, counts.cancelled), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_job_for_every_shop_is_left_in_each_ones_outbox() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shops = [shop(&app, "one").await.scope, shop(&app, "two").await.scope];
    assert_eq!(app.enqueue_for_every_shop(JobName::CheckFigures, "check_figures@2026-03-05T03:40:00Z").await.unwrap(), 2);
    let second = std::time::Duration::from_secs(1);
    let rows = app.claim_outbox(10, std::time::Duration::ZERO, second).await.unwrap();
    let mut scopes: Vec<_> = rows.iter().map(|row| row.scope().shop()).collect();
    scopes.sort();
    assert_eq!(scopes, shops.map(|scope| scope.shop()));
    assert!(rows.iter().all(|row| row.job == JobName::CheckFigures && row.payload == serde_json::json!({})));
}
