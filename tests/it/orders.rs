//! Orders as staff look at them: lists, one with its history, files.

use serde_json::json;
use system_tests::{ACCOUNTANT, ORDER_MANAGER, OTHER_OWNER, OWNER, TestStack, WHATSAPP};

/// A file's rows, the names of its columns first.
fn rows_of(text: &str) -> Vec<csv::StringRecord> {
    let text = text.strip_prefix('\u{feff}').unwrap();
    csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).records().collect::<Result<_, _>>().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_shows_its_history_and_the_conversation_that_made_it() {
    let stack = TestStack::start().await.unwrap();
    let customer = stack.customer(WHATSAPP, "4915112345678");
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    customer.hears_answer().await.unwrap();
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let order = owner.get("/orders?platform=whatsapp&status=pending&limit=1", 200).await.unwrap()["items"][0].clone();
    assert_eq!((&order["source"], &order["platform"]), (&json!("agent"), &json!("whatsapp")));
    let path = format!("/orders/{}", order["order_no"]);
    owner.patch(&path, &json!({"status": "confirmed"}), 200).await.unwrap();
    let whole = owner.get(&path, 200).await.unwrap();
    let conversation = stack.count("SELECT id FROM conversations").await.unwrap();
    assert_eq!(whole["conversation_id"], conversation);
    let moves: Vec<&str> = whole["history"].as_array().unwrap().iter().map(|event| event["status"].as_str().unwrap()).collect();
    assert_eq!(moves, ["pending", "confirmed"]);
    assert_eq!((&whole["history"][0]["actor"], &whole["lines"]), (&json!("agent"), &order["lines"]));
    let of_customer = owner.get(&format!("/orders?customer_id={}", order["customer_id"]), 200).await.unwrap();
    assert_eq!(of_customer["items"].as_array().unwrap().len(), 1);

    let books = stack.log_in(ACCOUNTANT).await.unwrap().get(&path, 200).await.unwrap();
    assert!(books.get("conversation_id").is_none() && books.get("profit").is_some(), "{books}");
    let manager = stack.log_in(ORDER_MANAGER).await.unwrap().get(&path, 200).await.unwrap();
    assert!(manager.get("conversation_id").is_some() && !manager.to_string().contains("profit"), "{manager}");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_in_the_file_once_and_no_cell_is_a_formula() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let product =
        owner.post("/products", &json!({"name": "=HYPERLINK(\"x\")", "price": "2.00", "cost": "3.50", "stock": 9000}), 201).await.unwrap();
    let body = json!({"lines": [{"product_id": product["id"], "quantity": 2}], "customer_name": "+49, \"Kim\"", "contact": "-1"});
    let order = owner.post("/orders", &body, 201).await.unwrap()["order_no"].clone();
    // Beyond one page, with lines of two products each.
    let look = stack.database.look().await.unwrap();
    look.batch_execute(&format!(
        "INSERT INTO orders (shop_id, order_no, line_no, product_id, product_name, quantity, price, cost, revenue, profit, status, source, sale_date) \
         SELECT o.shop_id, 100000 + n, l, o.product_id, 'Bulk', 1, 1, 0.25, 1, 0.75, 'fulfilled', 'staff', '2020-02-02' \
         FROM orders o, generate_series(1, 450) n, generate_series(1, 2) l WHERE o.order_no = {order} AND o.product_id = {}",
        product["id"]
    ))
    .await
    .unwrap();
    let (headers, text) = owner.file("/orders/export", &json!({})).await.unwrap();
    assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"orders-20"));
    let rows = rows_of(&text);
    assert_eq!(
        rows.len() as i64,
        1 + stack.count("SELECT count(*) FROM orders WHERE shop_id = (SELECT min(id) FROM shops)").await.unwrap()
    );
    let number = order.to_string();
    let ours = rows.iter().find(|row| row[0] == *number).unwrap();
    let of = |name: &str| &ours[rows[0].iter().position(|cell| cell == name).unwrap()];
    assert_eq!((of("customer_name"), of("contact"), of("product_name")), ("'+49, \"Kim\"", "'-1", "'=HYPERLINK(\"x\")"));
    assert_eq!((of("revenue"), of("cost"), of("profit")), ("4.00", "7.00", "-3.00"));

    let books = stack.log_in(ACCOUNTANT).await.unwrap();
    let (_, bulk) = books.file("/orders/export", &json!({"from": "2020-02-02", "to": "2020-02-02", "sort": "oldest"})).await.unwrap();
    let numbers: Vec<i64> = rows_of(&bulk)[1..].iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=450).flat_map(|n| [100_000 + n; 2]).collect::<Vec<i64>>());
    let (_, none) = stack.log_in(OTHER_OWNER).await.unwrap().file("/orders/export", &json!({"product_id": product["id"]})).await.unwrap();
    assert_eq!(rows_of(&none).len(), 1, "another shop's product is in none of my orders");
    stack.log_in(ORDER_MANAGER).await.unwrap().post("/orders/export", &json!({}), 403).await.unwrap();
    let problem = owner.post("/orders/export", &json!({"platform": "fax", "from": "2026-02-30", "shop_id": 1}), 422).await.unwrap();
    let fields: Vec<&str> = problem["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["from", "platform", "shop_id"]);
    stack.stop().await.unwrap();
}
