//! Orders under concurrency: no oversell, nothing twice, figures that are always what the orders say.

use std::collections::BTreeSet;

use crate::postgres::{TestDb, at, money, product, shop, stock_of};
use frontdesk_core::db::orders::{self, ChangeError, Order, OrderFilter, OrderSort, OrderStatus, PlaceError, Placement};
use frontdesk_core::db::products::{self, ProductRow};
use frontdesk_core::db::{Db, DbError, TxKind, sales};
use frontdesk_core::ids::{CustomerId, OrderNo, ProductId};
use frontdesk_core::inbound::Platform;
use frontdesk_core::jobs::WantedLine;
use frontdesk_core::tenancy::ShopScope;
use futures_util::future::join_all;

fn placement(key: Option<String>, now: &str) -> Placement {
    Placement {
        customer: None,
        customer_name: "Ada".to_owned(),
        contact: None,
        platform: None,
        source: "staff",
        proposal: None,
        request_key: key,
        now: at(now),
    }
}

async fn place(db: &Db, scope: &ShopScope, lines: Vec<(ProductId, i32)>, key: Option<String>, now: &str) -> Result<Order, PlaceError> {
    let lines: Vec<WantedLine> = lines.into_iter().map(|(product, quantity)| WantedLine { product, quantity }).collect();
    let placement = placement(key, now);
    db.shop_tx(scope, TxKind::Turn, async move |mut tx| orders::place(&mut tx, &lines, &placement).await).await
}

async fn change(db: &Db, scope: &ShopScope, order: OrderNo, status: &'static str) -> Result<Order, ChangeError> {
    db.shop_tx(scope, TxKind::Turn, async move |mut tx| {
        orders::change_status(&mut tx, order, status, None, "user:1", at("2026-03-05T10:00:00Z")).await
    })
    .await
}

/// Figures that are not what the orders say.
async fn differences(db: &Db, scope: &ShopScope) -> usize {
    db.shop_tx(scope, TxKind::Read, async move |mut tx| sales::differences(&mut tx).await).await.unwrap().len()
}

async fn summary(db: &Db, scope: &ShopScope) -> orders::Summary {
    db.shop_tx(scope, TxKind::Read, async move |mut tx| orders::summary(&mut tx, None, None).await).await.unwrap()
}

const NOON: &str = "2026-03-05T12:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_customers_at_once_for_fifty_pieces_buy_exactly_fifty() {
    let db = TestDb::new().await;
    let app = db.app(32).await;
    let shop = shop(&app, "rush").await;
    let product = product(&app, &shop.scope, "Red 42", "59.90", "24.80", 50).await;
    let tries = (0..200).map(|n| {
        let (app, id) = (app.clone(), product.id);
        tokio::spawn(async move { place(&app, &shop.scope, vec![(id, 1)], Some(format!("k{n}")), NOON).await })
    });
    let results: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let mut numbers = BTreeSet::new();
    let mut told = 0;
    for result in results {
        match result {
            Ok(order) => drop(numbers.insert(order.order_no)),
            Err(PlaceError::OutOfStock { name, left: 0, wanted: 1, product: refused }) => {
                assert_eq!((name.as_str(), refused), ("Red 42", product.id));
                told += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((numbers.len(), told), (50, 150));
    // Refused orders take no number.
    assert_eq!(numbers.into_iter().map(|no| no.0).collect::<Vec<_>>(), (1001..1051).collect::<Vec<_>>());
    assert_eq!(stock_of(&app, &shop.scope, &product).await, 0);
    let sums = summary(&app, &shop.scope).await;
    assert_eq!((sums.orders, sums.pieces, sums.revenue, sums.profit), (50, 50, money("2995.00"), money("1755.00")));
    assert_eq!(differences(&app, &shop.scope).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_many_lines_in_any_order_neither_deadlock_nor_oversell() {
    let db = TestDb::new().await;
    let app = db.app(16).await;
    let shop = shop(&app, "cross").await;
    let mut products = Vec::new();
    for n in 0..4 {
        products.push(product(&app, &shop.scope, &format!("P{n}"), "10.00", "4.00", 30).await);
    }
    let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    let tries = (0..120usize).map(|n| {
        let (app, ids) = (app.clone(), ids.clone());
        tokio::spawn(async move {
            // Each starts with another product, half of them backwards.
            let mut lines: Vec<_> = (0..3).map(|line| (ids[(n + line) % 4], 1)).collect();
            if n % 2 == 0 {
                lines.reverse();
            }
            place(&app, &shop.scope, lines, None, NOON).await
        })
    });
    let mut sold = 0;
    for result in join_all(tries).await {
        match result.unwrap() {
            Ok(order) => sold += order.lines.len(),
            Err(PlaceError::OutOfStock { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let mut left = 0;
    for product in &products {
        left += usize::try_from(stock_of(&app, &shop.scope, product).await).unwrap();
    }
    assert_eq!(sold + left, 120);
    assert_eq!(differences(&app, &shop.scope).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_the_same_moment_makes_one_order() {
    let db = TestDb::new().await;
    let app = db.app(16).await;
    let shop = shop(&app, "repeat").await;
    let product = product(&app, &shop.scope, "Red 42", "59.90", "24.80", 50).await;
    let tries = (0..30).map(|_| {
        let (app, id) = (app.clone(), product.id);
        tokio::spawn(async move { place(&app, &shop.scope, vec![(id, 2)], Some("once".to_owned()), NOON).await.unwrap() })
    });
    let orders: Vec<Order> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert!(orders.iter().all(|order| *order == orders[0]));
    assert_eq!(stock_of(&app, &shop.scope, &product).await, 48);
    assert_eq!(summary(&app, &shop.scope).await.orders, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_order_changes_nothing_and_the_transaction_goes_on() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let shop = shop(&app, "refused").await;
    let (plenty, scarce) =
        (product(&app, &shop.scope, "Plenty", "5", "1", 9).await, product(&app, &shop.scope, "Scarce", "5", "1", 1).await);
    let lines = vec![WantedLine { product: plenty.id, quantity: 2 }, WantedLine { product: scarce.id, quantity: 2 }];
    let gone = vec![WantedLine { product: ProductId(999_999), quantity: 1 }];
    let order = app
        .shop_tx(&shop.scope, TxKind::Turn, async move |mut tx| {
            let refused = orders::place(&mut tx, &lines, &placement(None, NOON)).await.unwrap_err();
            assert!(matches!(&refused, PlaceError::OutOfStock { name, left: 1, wanted: 2, .. } if name == "Scarce"), "{refused}");
            let refused = orders::place(&mut tx, &gone, &placement(None, NOON)).await.unwrap_err();
            assert!(matches!(refused, PlaceError::NoSuchProduct { product: ProductId(999_999) }), "{refused}");
            // Both lines of one product count together.
            let twice = [WantedLine { product: scarce.id, quantity: 1 }, WantedLine { product: scarce.id, quantity: 1 }];
            assert!(matches!(orders::place(&mut tx, &twice, &placement(None, NOON)).await, Err(PlaceError::OutOfStock { .. })));
            products::archive(&mut tx, scarce.id).await?;
            let archived = [WantedLine { product: scarce.id, quantity: 1 }];
            assert!(matches!(orders::place(&mut tx, &archived, &placement(None, NOON)).await, Err(PlaceError::NoSuchProduct { .. })));
            orders::place(&mut tx, &lines[..1], &placement(None, NOON)).await
        })
        .await
        .unwrap();
    assert_eq!((order.order_no, order.status, order.revenue), (OrderNo(1001), OrderStatus::Pending, money("10")));
    assert_eq!(stock_of(&app, &shop.scope, &plenty).await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_cancelled_by_many_at_once_is_restocked_once() {
    let db = TestDb::new().await;
    let app = db.app(16).await;
    let shop = shop(&app, "cancel").await;
    let product = product(&app, &shop.scope, "Red 42", "59.90", "24.80", 10).await;
    let order = place(&app, &shop.scope, vec![(product.id, 4)], None, NOON).await.unwrap();
    assert_eq!(stock_of(&app, &shop.scope, &product).await, 6);
    let tries = (0..20).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { change(&app, &shop.scope, order.order_no, "cancelled").await.unwrap() })
    });
    for result in join_all(tries).await {
        assert_eq!(result.unwrap().status, OrderStatus::Cancelled);
    }
    assert_eq!(stock_of(&app, &shop.scope, &product).await, 10);
    let sums = summary(&app, &shop.scope).await;
    assert_eq!((sums.orders, sums.pieces, sums.revenue, sums.cancelled), (0, 0, money("0"), 1));
    assert!(matches!(
        change(&app, &shop.scope, order.order_no, "fulfilled").await,
        Err(ChangeError::NotAllowed { from: OrderStatus::Cancelled })
    ));
    assert!(matches!(change(&app, &shop.scope, OrderNo(5), "cancelled").await, Err(ChangeError::NotFound)));
    assert!(matches!(change(&app, &shop.scope, order.order_no, "lost").await, Err(ChangeError::NoSuchStatus)));
    let raw = db.raw(&db.superuser_url()).await;
    let events: i64 = raw.query_one("SELECT count(*) FROM order_events WHERE status = 'cancelled'", &[]).await.unwrap().get(0);
    assert_eq!(events, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_counts_on_the_day_of_the_shops_own_zone() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "zone").await;
    let product = product(&app, &shop.scope, "Red 42", "0.10", "0.03", 10).await;
    // Berlin: the clocks go forward on 29 March 2026; before it midnight is 23:00 UTC, after it 22:00.
    for (now, day) in
        [("2026-03-28T22:59:59Z", "2026-03-28"), ("2026-03-28T23:00:00Z", "2026-03-29"), ("2026-03-29T22:00:00Z", "2026-03-30")]
    {
        let order = place(&app, &shop.scope, vec![(product.id, 3)], None, now).await.unwrap();
        assert_eq!(order.sale_date.to_string(), day);
        assert_eq!((order.revenue, order.cost, order.profit), (money("0.30"), money("0.09"), money("0.21")));
    }
    let days = app
        .shop_tx(&shop.scope, TxKind::Read, async move |mut tx| {
            sales::days(&mut tx, "2026-03-01".parse().unwrap(), "2026-03-31".parse().unwrap()).await
        })
        .await
        .unwrap();
    assert_eq!(
        days.iter().map(|day| (day.day.to_string(), day.sums.pieces)).collect::<Vec<_>>(),
        [("2026-03-28".to_owned(), 3), ("2026-03-29".to_owned(), 3), ("2026-03-30".to_owned(), 3)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_exact_up_to_the_largest() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "exact").await;
    for (price, cost, quantity, revenue) in
        [("0.01", "0.00", 3, "0.03"), ("999999.99", "333333.33", 9999, "9998999900.01"), ("1234567.89", "0.07", 7, "8641975.23")]
    {
        let item = product(&app, &shop.scope, "Item", price, cost, 10_000).await;
        assert_eq!((item.price, item.cost), (money(price), money(cost)));
        let order = place(&app, &shop.scope, vec![(item.id, quantity)], None, NOON).await.unwrap();
        assert_eq!(order.revenue, money(revenue));
        assert_eq!(order.profit + order.cost, order.revenue);
        let no = order.order_no;
        let read = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| orders::find(&mut tx, no).await).await.unwrap().unwrap();
        assert_eq!(read, order);
    }
    let dear = product(&app, &shop.scope, "Dear", "9999999999.99", "0", 5).await;
    assert!(matches!(place(&app, &shop.scope, vec![(dear.id, 2)], None, NOON).await, Err(PlaceError::Db(DbError::Other(_)))));
    assert_eq!(stock_of(&app, &shop.scope, &dear).await, 5);
    assert_eq!(differences(&app, &shop.scope).await, 0);
}

/// Random orders and changes by several at once; the same rolls every time, named by their seed.
#[tokio::test(flavor = "multi_thread")]
async fn figures_and_stock_are_what_the_orders_say_after_anything() {
    let db = TestDb::new().await;
    let app = db.app(8).await;
    let shop = shop(&app, "random").await;
    let mut stocked: Vec<ProductRow> = Vec::new();
    for n in 0..5 {
        stocked.push(product(&app, &shop.scope, &format!("P{n}"), &format!("{n}.{n}9"), "0.51", 40).await);
    }
    for seed in [11_u64, 12, 13] {
        let hands = (0..6_u64).map(|hand| {
            let (app, ids) = (app.clone(), stocked.iter().map(|product| product.id).collect::<Vec<_>>());
            tokio::spawn(async move {
                let mut state = seed * 1_000 + hand;
                let mut roll = move |sides: u64| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 33) % sides
                };
                let mut known: Vec<OrderNo> = vec![OrderNo(1001)];
                for step in 0..40 {
                    if roll(3) > 0 {
                        let lines = (0..=roll(3)).map(|_| (ids[roll(5) as usize], 1 + roll(4) as i32)).collect();
                        let now = format!("2026-03-{:02}T{:02}:30:00Z", 1 + roll(9), roll(24));
                        match place(&app, &shop.scope, lines, Some(format!("{seed}:{hand}:{step}")), &now).await {
                            Ok(order) => known.push(order.order_no),
                            Err(PlaceError::OutOfStock { .. }) => {}
                            Err(other) => panic!("seed {seed}: {other}"),
                        }
                    } else {
                        let order = known[roll(known.len() as u64) as usize];
                        let status = ["confirmed", "fulfilled", "cancelled", "refunded"][roll(4) as usize];
                        match change(&app, &shop.scope, order, status).await {
                            Ok(_) | Err(ChangeError::NotAllowed { .. } | ChangeError::NotFound) => {}
                            Err(other) => panic!("seed {seed}: {other}"),
                        }
                    }
                }
            })
        });
        for hand in join_all(hands).await {
            hand.unwrap();
        }
        assert_eq!(differences(&app, &shop.scope).await, 0, "seed {seed}");
    }
    let raw = db.raw(&db.superuser_url()).await;
    let off = raw
        .query("SELECT p.id FROM products p LEFT JOIN orders o ON o.product_id = p.id AND o.status NOT IN ('cancelled', 'refunded') GROUP BY p.id, p.stock HAVING p.stock + coalesce(sum(o.quantity), 0) <> 40", &[])
        .await
        .unwrap();
    assert!(off.is_empty());
    let orders: i64 = raw.query_one("SELECT count(DISTINCT order_no) FROM orders", &[]).await.unwrap().get(0);
    assert!(orders > 25, "only {orders} orders were placed");
    let taken_back: i64 = raw.query_one("SELECT count(*) FROM orders WHERE status IN ('cancelled', 'refunded')", &[]).await.unwrap().get(0);
    assert!(taken_back > 3, "only {taken_back} lines were taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_orders_follow_one_another_without_gap_or_repeat() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "pages").await;
    let (one, two) = (product(&app, &shop.scope, "One", "1", "0", 99).await, product(&app, &shop.scope, "Two", "2", "0", 99).await);
    for n in 0..7 {
        let order = place(&app, &shop.scope, vec![(one.id, 1), (two.id, 1)], None, NOON).await.unwrap();
        if n % 3 == 0 {
            change(&app, &shop.scope, order.order_no, "confirmed").await.unwrap();
        }
    }
    let mut seen = Vec::new();
    let mut filter = OrderFilter::default();
    loop {
        let page = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| orders::list(&mut tx, filter, 3).await).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.order_no);
        assert!(page.len() <= 3 && page.iter().all(|order| order.lines.len() == 2));
        seen.extend(page.iter().map(|order| order.order_no.0));
    }
    assert_eq!(seen, (1001..1008).rev().collect::<Vec<_>>());
    let confirmed = OrderFilter { status: Some(OrderStatus::Confirmed), ..OrderFilter::default() };
    let page = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| orders::list(&mut tx, confirmed, 50).await).await.unwrap();
    assert_eq!(page.iter().map(|order| order.order_no.0).collect::<Vec<_>>(), [1007, 1004, 1001]);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_state_day_platform_customer_and_product_in_either_direction() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "filters").await;
    let (one, two) = (product(&app, &shop.scope, "One", "1", "0", 99).await, product(&app, &shop.scope, "Two", "2", "0", 99).await);
    let raw = db.raw(&db.superuser_url()).await;
    let id = shop.scope.shop();
    raw.batch_execute(&format!(
        "INSERT INTO channels (shop_id, platform, external_id) VALUES ({id}, 'instagram', 'x'); \
         INSERT INTO customers (shop_id, channel_id) SELECT shop_id, id FROM channels; \
         INSERT INTO conversations (shop_id, channel_id, customer_id) SELECT shop_id, channel_id, id FROM customers"
    ))
    .await
    .unwrap();
    let row = raw.query_one("SELECT customer_id, id FROM conversations", &[]).await.unwrap();
    let (customer, conversation): (i64, i64) = (row.get(0), row.get(1));
    for n in 0..6_usize {
        let now = format!("2026-03-0{}T12:00:00Z", n / 2 + 1);
        let mut lines = vec![(one.id, 1)];
        if n % 2 == 0 {
            lines.push((two.id, 1));
        }
        let mut placement = placement(None, &now);
        if n > 3 {
            (placement.customer, placement.platform) = (Some(CustomerId(customer)), Some(Platform::Instagram));
        }
        let lines: Vec<WantedLine> = lines.into_iter().map(|(product, quantity)| WantedLine { product, quantity }).collect();
        app.shop_tx(&shop.scope, TxKind::Turn, async move |mut tx| orders::place(&mut tx, &lines, &placement).await).await.unwrap();
    }
    change(&app, &shop.scope, OrderNo(1003), "confirmed").await.unwrap();
    let found = async |filter: OrderFilter| -> Vec<i64> {
        let page = app.shop_tx(&shop.scope, TxKind::Read, async move |mut tx| orders::list(&mut tx, filter, 50).await).await.unwrap();
        page.iter().map(|order| order.order_no.0).collect()
    };
    let all = OrderFilter::default();
    assert_eq!(found(OrderFilter { sort: OrderSort::Oldest, ..all }).await, (1001..1007).collect::<Vec<_>>());
    assert_eq!(found(OrderFilter { sort: OrderSort::Oldest, after: Some(OrderNo(1004)), ..all }).await, [1005, 1006]);
    assert_eq!(found(OrderFilter { status: Some(OrderStatus::Confirmed), ..all }).await, [1003]);
    assert_eq!(found(OrderFilter { from: Some("2026-03-03".parse().unwrap()), ..all }).await, [1006, 1005]);
    let second = Some("2026-03-02".parse().unwrap());
    assert_eq!(found(OrderFilter { from: second, to: second, ..all }).await, [1004, 1003]);
    assert_eq!(found(OrderFilter { platform: Some(Platform::Instagram), ..all }).await, [1006, 1005]);
    assert_eq!(found(OrderFilter { platform: Some(Platform::Whatsapp), ..all }).await, Vec::<i64>::new());
    assert_eq!(found(OrderFilter { customer: Some(CustomerId(customer)), product: Some(two.id), ..all }).await, [1005]);
    assert_eq!(found(OrderFilter { product: Some(two.id), to: second, after: Some(OrderNo(1003)), ..all }).await, [1001]);
    let (history, theirs, nobodys) = app
        .shop_tx(&shop.scope, TxKind::Read, async move |mut tx| {
            let history = orders::history(&mut tx, OrderNo(1003)).await?;
            Ok::<_, DbError>((
                history,
                orders::conversation(&mut tx, OrderNo(1006)).await?,
                orders::conversation(&mut tx, OrderNo(1001)).await?,
            ))
        })
        .await
        .unwrap();
    let moves: Vec<(&str, &str)> = history.iter().map(|event| (event.status.as_str(), event.actor.as_str())).collect();
    assert_eq!(moves, [("pending", "staff"), ("confirmed", "user:1")]);
    assert_eq!((theirs.map(|found| found.0), nobodys), (Some(conversation), None));
}
