//! Stock changed by hand, stock that runs low, and lists of products.

use crate::postgres::{TestDb, at, money, product, shop};
use frontdesk_core::db::orders::{self, Order, Placement};
use frontdesk_core::db::products::{self, ProductFilter, ProductInput, ProductRow, ProductSort};
use frontdesk_core::db::stock::{self, AdjustError};
use frontdesk_core::db::{Db, TxKind};
use frontdesk_core::ids::ProductId;
use frontdesk_core::jobs::WantedLine;
use frontdesk_core::tenancy::ShopScope;

async fn adjust(db: &Db, scope: &ShopScope, product: ProductId, change: i32) -> Result<i32, AdjustError> {
    db.shop_tx(scope, TxKind::Command, async move |mut tx| {
        let made = stock::adjust(&mut tx, product, change, "counted", "user:1").await?;
        stock::watch(&mut tx, &[product]).await?;
        Ok(made.stock)
    })
    .await
}

async fn watched(db: &Db, scope: &ShopScope, row: &ProductRow, low_stock_at: i32) {
    let (id, input) = (
        row.id,
        ProductInput {
            name: row.name.clone(),
            description: String::new(),
            sku: None,
            price: row.price,
            cost: row.cost,
            stock: row.stock,
            image_url: None,
            low_stock_at: Some(low_stock_at),
        },
    );
    db.shop_tx(scope, TxKind::Command, async move |mut tx| products::update(&mut tx, id, &input).await).await.unwrap().unwrap();
}

async fn sell(db: &Db, scope: &ShopScope, lines: Vec<(ProductId, i32)>) -> Order {
    let lines: Vec<WantedLine> = lines.into_iter().map(|(product, quantity)| WantedLine { product, quantity }).collect();
    let placement = Placement {
        customer: None,
        customer_name: "Ada".to_owned(),
        contact: None,
        platform: None,
        source: "staff",
        proposal: None,
        request_key: None,
        now: at("2026-03-05T12:00:00Z"),
    };
    db.shop_tx(scope, TxKind::Turn, async move |mut tx| orders::place(&mut tx, &lines, &placement).await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_told_once_that_stock_is_low_and_again_only_after_it_was_restocked() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "low").await;
    let (sock, boot) = (product(&app, &shop.scope, "Sock", "4", "1", 10).await, product(&app, &shop.scope, "Boot", "80", "50", 10).await);
    watched(&app, &shop.scope, &sock, 5).await;
    watched(&app, &shop.scope, &boot, 5).await;
    let raw = db.raw(&db.superuser_url()).await;
    let notices = async || -> Vec<serde_json::Value> {
        let rows = raw.query("SELECT (payload->'notice')::text FROM outbox WHERE queue = 'notify_staff' ORDER BY id", &[]).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
    };
    sell(&app, &shop.scope, vec![(sock.id, 4)]).await;
    assert!(notices().await.is_empty(), "six are left");
    let order = sell(&app, &shop.scope, vec![(sock.id, 1), (boot.id, 6)]).await;
    let told = notices().await;
    assert_eq!(told, [serde_json::json!({"type": "low_stock", "products": [sock.id, boot.id], "count": 2})]);
    sell(&app, &shop.scope, vec![(sock.id, 1)]).await;
    assert_eq!(adjust(&app, &shop.scope, boot.id, -1).await.unwrap(), 3);
    assert_eq!(notices().await.len(), 1, "low is told once, not with every sale");
    // Cancelled, both are back above; the next sale tells again.
    app.shop_tx(&shop.scope, TxKind::Command, async move |mut tx| {
        orders::change_status(&mut tx, order.order_no, "cancelled", None, "user:1", at("2026-03-05T13:00:00Z")).await
    })
    .await
    .unwrap();
    sell(&app, &shop.scope, vec![(boot.id, 5)]).await;
    assert_eq!(notices().await[1..], [serde_json::json!({"type": "low_stock", "products": [boot.id], "count": 1})]);
    adjust(&app, &shop.scope, boot.id, 20).await.unwrap();
    adjust(&app, &shop.scope, boot.id, -20).await.unwrap();
    assert_eq!(notices().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_by_hand_keep_their_reason_and_never_leave_less_than_nothing() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let (shop, other) = (shop(&app, "hand").await, crate::postgres::shop(&app, "other").await);
    let sock = product(&app, &shop.scope, "Sock", "4", "1", 3).await;
    assert_eq!(adjust(&app, &shop.scope, sock.id, 4).await.unwrap(), 7);
    assert!(matches!(adjust(&app, &shop.scope, sock.id, -8).await, Err(AdjustError::OutOfRange { stock: 7 })));
    assert!(matches!(adjust(&app, &shop.scope, sock.id, i32::MAX).await, Err(AdjustError::OutOfRange { stock: 7 })));
    assert!(matches!(adjust(&app, &other.scope, sock.id, 1).await, Err(AdjustError::NotFound)));
    assert_eq!(adjust(&app, &shop.scope, sock.id, -7).await.unwrap(), 0);
    let history = async |scope: ShopScope, before: Option<i64>| {
        app.shop_tx(&scope, TxKind::Read, async move |mut tx| stock::history(&mut tx, sock.id, before, 50).await).await.unwrap()
    };
    let seen = history(shop.scope, None).await;
    assert_eq!(seen.iter().map(|made| (made.change, made.stock)).collect::<Vec<_>>(), [(-7, 0), (4, 7)]);
    assert_eq!((seen[0].kind.as_str(), seen[0].reason.as_str(), seen[0].actor.as_str()), ("adjusted", "counted", "user:1"));
    assert_eq!(history(shop.scope, Some(seen[0].id)).await, seen[1..]);
    assert!(history(other.scope, None).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_filtered_and_sorted_over_pages_without_gap_or_repeat() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "sorted").await;
    let mut ids = Vec::new();
    for (name, price, stock) in [("banana", "3", 5), ("Äpfel", "1", 9), ("cherry", "2", 5), ("Banana", "2", 0), ("date", "10", 2)] {
        ids.push(product(&app, &shop.scope, name, price, "0", stock).await);
    }
    watched(&app, &shop.scope, &ids[4], 2).await;
    let all = async |filter: ProductFilter| -> Vec<usize> {
        let (mut seen, mut filter) = (Vec::new(), filter);
        loop {
            let asked = filter.clone();
            let page = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| products::list(&mut tx, &asked, 2).await).await.unwrap();
            let Some(last) = page.last() else { return seen };
            filter.after = Some(last.id);
            seen.extend(page.iter().map(|row| ids.iter().position(|known| known.id == row.id).unwrap()));
        }
    };
    let by = |sort, descending| ProductFilter { sort, descending, ..ProductFilter::default() };
    assert_eq!(all(by(ProductSort::Id, false)).await, [0, 1, 2, 3, 4]);
    assert_eq!(all(by(ProductSort::Name, false)).await, [1, 0, 3, 2, 4]);
    assert_eq!(all(by(ProductSort::Price, true)).await, [4, 0, 3, 2, 1]);
    assert_eq!(all(by(ProductSort::Stock, false)).await, [3, 4, 0, 2, 1]);
    let priced = ProductFilter { min_price: Some(money("2")), max_price: Some(money("3")), ..by(ProductSort::Price, false) };
    assert_eq!(all(priced).await, [2, 3, 0]);
    assert_eq!(all(ProductFilter { low_stock: Some(true), ..ProductFilter::default() }).await, [4]);
    assert_eq!(all(ProductFilter { low_stock: Some(false), text: Some("ban".to_owned()), ..ProductFilter::default() }).await, [0, 3]);
}
