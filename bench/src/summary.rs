//! What a shop's figures cost, over a thousand orders and over a million: real rows, whose recount agrees with the kept figures before anything is
//! timed.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::figures::Sample;

/// Orders of the two shops.
const ORDERS: [i32; 2] = [1_000, 1_000_000];
/// What an owner looks at, over the year that the orders lie in.
const LOOKS: [&str; 3] = [
    "/orders/summary?from=2025-01-01&to=2025-12-31",
    "/dashboard/summary?period=custom&from=2025-01-01&to=2025-12-31",
    "/dashboard/charts?period=custom&from=2025-01-01&to=2025-12-31",
];
/// Looks at each: all of a shop's stay below what it may ask in a minute.
const TIMES: usize = 150;
/// Rows per statement.
const BATCH: i32 = 50_000;
/// Products of a shop.
const PRODUCTS: i32 = 20;
const PASSWORD: &str = "figures-of-a-year";

/// One look, over few orders and over many.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) path: &'static str,
    /// In the order of [`ORDERS`], ms.
    pub(crate) took_ms: [Sample; 2],
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Summaries {
    pub(crate) orders: [i32; 2],
    pub(crate) looks: Vec<Look>,
}

/// Opens two shops, fills them, recounts, and looks.
pub(crate) async fn measure(http: &reqwest::Client, base: &str, database_url: &str) -> anyhow::Result<Summaries> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.context("DATABASE_URL")?;
    let connection = tokio::spawn(connection);
    let mut tokens = Vec::new();
    for orders in ORDERS {
        let (shop, token) = open_shop(http, base, orders).await?;
        fill(&client, shop, orders).await.with_context(|| format!("{orders} orders"))?;
        tokens.push(token);
    }
    // Row-level security shows the app one shop at a time; the statistics of the tables are the owner's and autovacuum's business.
    drop(client);
    connection.abort();
    let mut looks = Vec::new();
    for path in LOOKS {
        let (few, many) = (look(http, base, path, &tokens[0]).await?, look(http, base, path, &tokens[1]).await?);
        looks.push(Look { path, took_ms: [few, many] });
    }
    Ok(Summaries { orders: ORDERS, looks })
}

async fn open_shop(http: &reqwest::Client, base: &str, orders: i32) -> anyhow::Result<(i32, String)> {
    let shop = json!({"shop_name": format!("A shop of {orders} orders"), "email": format!("figures-{orders}@bench.example"), "password": PASSWORD});
    let answer = http.post(format!("{base}/auth/register")).json(&shop).send().await?;
    ensure!(answer.status() == 201, "a shop could not be opened: {}", answer.status());
    let session: Value = answer.json().await?;
    let shop = session["shop_id"].as_i64().and_then(|shop| i32::try_from(shop).ok()).context("no shop_id")?;
    Ok((shop, session["token"].as_str().context("no token")?.to_owned()))
}

/// Orders over a year, one in ten cancelled, and the figures that are kept with them.
async fn fill(client: &Client, shop: i32, orders: i32) -> anyhow::Result<()> {
    client.execute("SELECT set_config('app.shop_id', $1, false)", &[&shop.to_string()]).await?;
    client
        .execute(
            "INSERT INTO products (shop_id, name, price, cost, stock) SELECT $1, 'Product ' || n, 10 + n, 4 + n, 0 FROM generate_series(1, $2::int) n",
            &[&shop, &PRODUCTS],
        )
        .await?;
    let mut from = 0;
    while from < orders {
        let to = orders.min(from + BATCH);
        client
            .execute(
                "WITH p AS (SELECT array_agg(id ORDER BY id) AS ids FROM products WHERE shop_id = $1) \
                 INSERT INTO orders (shop_id, order_no, line_no, product_id, product_name, quantity, price, cost, revenue, profit, status, \
                     customer_name, source, sale_date, created_at, updated_at) \
                 SELECT $1, 1001 + n, 1, p.ids[1 + n % $4], 'Product', 1 + n % 3, 19.90, 8.40, 19.90 * (1 + n % 3), 11.50 * (1 + n % 3), \
                     CASE WHEN n % 10 = 0 THEN 'cancelled' ELSE 'fulfilled' END, 'Kim', 'staff', day, day + time '12:00', day + time '12:00' \
                 FROM p, generate_series($2::int, $3::int - 1) n, LATERAL (SELECT date '2025-01-01' + n % 365 AS day) d",
                &[&shop, &from, &to, &PRODUCTS],
            )
            .await?;
        from = to;
    }
    for kept in [
        "INSERT INTO daily_sales (shop_id, day, orders, pieces, revenue, cost, profit, cancelled) SELECT shop_id, sale_date, \
         count(*) FILTER (WHERE status = 'fulfilled'), coalesce(sum(quantity) FILTER (WHERE status = 'fulfilled'), 0), \
         coalesce(sum(revenue) FILTER (WHERE status = 'fulfilled'), 0), coalesce(sum(cost * quantity) FILTER (WHERE status = 'fulfilled'), 0), \
         coalesce(sum(profit) FILTER (WHERE status = 'fulfilled'), 0), count(*) FILTER (WHERE status = 'cancelled') \
         FROM orders WHERE shop_id = $1 GROUP BY shop_id, sale_date",
        "INSERT INTO product_sales (shop_id, day, product_id, pieces, revenue, cost, profit) SELECT shop_id, sale_date, product_id, sum(quantity), \
         sum(revenue), sum(cost * quantity), sum(profit) FROM orders WHERE shop_id = $1 AND status = 'fulfilled' GROUP BY shop_id, sale_date, product_id",
        "INSERT INTO order_counts (shop_id, fulfilled, cancelled) SELECT $1, count(*) FILTER (WHERE status = 'fulfilled'), \
         count(*) FILTER (WHERE status = 'cancelled') FROM orders WHERE shop_id = $1 \
         ON CONFLICT (shop_id) DO UPDATE SET fulfilled = excluded.fulfilled, cancelled = excluded.cancelled",
    ] {
        client.execute(kept, &[&shop]).await?;
    }
    let row = client
        .query_one(
            "SELECT (SELECT sum(revenue) FROM daily_sales WHERE shop_id = $1) = (SELECT sum(revenue) FROM orders WHERE shop_id = $1 AND status = 'fulfilled') \
             AND (SELECT sum(orders + cancelled) FROM daily_sales WHERE shop_id = $1) = (SELECT count(*) FROM orders WHERE shop_id = $1) \
             AND (SELECT sum(profit) FROM product_sales WHERE shop_id = $1) = (SELECT sum(profit) FROM orders WHERE shop_id = $1 AND status = 'fulfilled')",
            &[&shop],
        )
        .await?;
    ensure!(row.get::<_, Option<bool>>(0) == Some(true), "the recount of the orders does not agree with the kept figures");
    Ok(())
}

async fn look(http: &reqwest::Client, base: &str, path: &str, token: &str) -> anyhow::Result<Sample> {
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        let answer = http.get(format!("{base}{path}")).bearer_auth(token).send().await?;
        let status = answer.status();
        answer.bytes().await?;
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
        ensure!(status == 200, "{path}: {status}");
    }
    Ok(Sample::new(took))
}
