//! Many products from a file: all of it, or nothing.

use serde_json::{Value, json};
use system_tests::{ORDER_MANAGER, OTHER_OWNER, OWNER, Plan, TestStack, until};

const HEAD: &str = "sku,name,price,cost,stock";

fn file(rows: usize) -> String {
    let rows: String = (0..rows).map(|n| format!("SKU-{n:05},Thing {n},9.90,4.10,7\n")).collect();
    format!("{HEAD}\n{rows}")
}

async fn imported(stack: &TestStack) -> i64 {
    stack.count("SELECT count(*) FROM products WHERE sku LIKE 'SKU-%'").await.unwrap()
}

/// A product that somebody else is about to add, so that the import waits in the midst of its rows.
async fn hold(stack: &TestStack, sku: &str) -> tokio_postgres::Client {
    let other = stack.database.look().await.unwrap();
    let adds = "INSERT INTO products (shop_id, sku, name, price, cost, stock) SELECT shop_id, ";
    other.batch_execute(&format!("BEGIN; {adds} '{sku}', 'x', 1, 1, 1 FROM users WHERE email = '{}'", OWNER.0)).await.unwrap();
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_are_imported_by_one_job_that_says_how_far_it_is() {
    let stack = TestStack::planned(Plan::default().with("API_WAIT_MS", "200")).await.unwrap();
    let (owner, other) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    let holder = hold(&stack, "SKU-06000").await;
    let accepted = owner.upload("/products/import", "many", &file(10_000), 202).await.unwrap();
    let place = format!("/jobs/{}", accepted["job"].as_str().unwrap());
    let progress = until("half of it is done", async || {
        let job = owner.get(&place, 202).await?;
        Ok(job["progress"]["done"].as_u64().filter(|done| *done >= 5_000).map(|_| job["progress"].clone()))
    });
    let progress = progress.await.unwrap();
    assert_eq!(progress["of"], 10_000);
    other.get(&place, 404).await.unwrap();
    assert_eq!(imported(&stack).await, 0, "all of it, or nothing");
    holder.batch_execute("ROLLBACK").await.unwrap();
    let report = until("it is done", async || owner.finished(&place).await).await.unwrap();
    let expected = json!({"dry_run": false, "added": 10_000, "changed": 0, "unchanged": 0, "bad_rows": 0, "errors": []});
    assert_eq!(report, expected);
    assert_eq!(imported(&stack).await, 10_000);
    assert_eq!(stack.count("SELECT count(*) FROM stock_changes WHERE kind = 'imported'").await.unwrap(), 10_000);
    assert_eq!(owner.upload("/products/import", "many", &file(10_000), 200).await.unwrap(), expected, "the same key gets the same answer");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_worker_is_killed_is_done_once_by_another() {
    let mut stack = TestStack::planned(Plan { workers: 0, ..Plan::default() }.with("API_WAIT_MS", "200")).await.unwrap();
    let mut worker = stack.spawn_worker(None).unwrap();
    let holder = hold(&stack, "SKU-01500").await;
    let place = {
        let owner = stack.log_in(OWNER).await.unwrap();
        let accepted = owner.upload("/products/import", "killed", &file(2_000), 202).await.unwrap();
        let place = format!("/jobs/{}", accepted["job"].as_str().unwrap());
        let done = async || Ok::<_, anyhow::Error>(owner.get(&place, 202).await?["progress"]["done"].as_u64());
        until("half of it is done", async || Ok(done().await?.filter(|done| *done >= 1_000))).await.unwrap();
        place
    };
    worker.kill().await.unwrap();
    holder.batch_execute("ROLLBACK").await.unwrap();
    stack.start_worker().unwrap();
    // The same person: a job's place is bound to who asked, not to the session.
    let owner = stack.log_in(OWNER).await.unwrap();
    let report = until("another does it", async || owner.finished(&place).await).await.unwrap();
    assert_eq!(report["added"], 2_000);
    assert_eq!(imported(&stack).await, 2_000);
    assert_eq!(stack.count("SELECT count(*) FROM audit WHERE action = 'import'").await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_row_is_named_and_nothing_is_changed() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let lines = [
        "a-1,Fine,1.00,0.50,1",
        ",No sku,1.00,0.50,1",
        "a-2,,1.00,0.50,1",
        "a-3,Price,1.005,0.50,1",
        "a-4,\"Cost\nover lines\",1.00,-1,1",
        "a-5,Stock,1.00,0.50,1.5",
        "a-1,Twice,1.00,0.50,1",
        "a-6,Cells,1.00,0.50,1,and more",
        "a-7,Fine too,1.00,0.50,1",
    ];
    let bad = format!("\u{feff}{HEAD}\r\n{}\r\n", lines.join("\r\n"));
    let found = [(3, "sku"), (4, "name"), (5, "price"), (6, "cost"), (8, "stock"), (9, "sku"), (10, "")];
    let before = stack.count("SELECT count(*) FROM products").await.unwrap();
    let report = owner.upload("/products/import?dry_run=true", "try", &bad, 200).await.unwrap();
    assert_eq!((&report["dry_run"], &report["bad_rows"], &report["added"]), (&json!(true), &json!(7), &json!(0)));
    let named = |error: &Value| (error["line"].as_i64().unwrap(), error["column"].as_str().unwrap_or_default().to_owned());
    let errors: Vec<(i64, String)> = report["errors"].as_array().unwrap().iter().map(named).collect();
    assert_eq!(errors, found.map(|(line, column)| (line, column.to_owned())));
    let problem = owner.upload("/products/import", "do", &bad, 422).await.unwrap();
    assert_eq!((&problem["code"], problem["fields"].as_array().unwrap().len()), (&json!("bad_rows"), 7));
    assert_eq!((&problem["fields"][0]["field"], &problem["fields"][6]["field"]), (&json!("line 3, sku"), &json!("line 10")));
    assert_eq!(stack.count("SELECT count(*) FROM products").await.unwrap(), before);

    let fine = format!("{};description\na-1;First;1,00;0,50;1;\"two\nlines\"\na-2;Second;1.00;0.50;2;\n", HEAD.replace(',', ";"));
    let report = owner.upload("/products/import?dry_run=true", "try-fine", &fine, 200).await.unwrap();
    assert_eq!((&report["added"], &report["bad_rows"]), (&json!(2), &json!(0)));
    assert_eq!(stack.count("SELECT count(*) FROM products").await.unwrap(), before, "a dry run changes nothing");
    assert_eq!(owner.upload("/products/import", "try-fine", &fine, 409).await.unwrap()["code"], "idempotency_key_reused");
    assert_eq!(owner.upload("/products/import", "do-fine", &fine, 200).await.unwrap()["added"], 2);
    let changed = fine.replace("a-2;Second;1.00;0.50;2", "a-2;Second;1.00;0.50;9");
    let report = owner.upload("/products/import", "change", &changed, 200).await.unwrap();
    assert_eq!((&report["added"], &report["changed"], &report["unchanged"]), (&json!(0), &json!(1), &json!(1)));
    let product = &owner.get("/products?q=second", 200).await.unwrap()["items"][0];
    assert_eq!((&product["sku"], &product["stock"]), (&json!("a-2"), &json!(9)));
    let history = owner.get(&format!("/products/{}/stock", product["id"]), 200).await.unwrap();
    assert_eq!((&history["items"][0]["change"], &history["items"][0]["kind"]), (&json!(7), &json!("imported")));

    let manager = stack.log_in(ORDER_MANAGER).await.unwrap();
    manager.upload("/products/import?dry_run=true", "mine", &fine, 403).await.unwrap();
    assert_eq!(owner.post("/products/import", &json!({}), 415).await.unwrap()["code"], "not_csv");
    owner.upload("/products/import?dry_run=perhaps", "mode", &fine, 422).await.unwrap();
    owner.upload("/products/import", "binary", "sku\0", 400).await.unwrap();
    owner.upload("/products/import", "large", &"x".repeat(6 * 1024 * 1024), 413).await.unwrap();
    stack.stop().await.unwrap();
}
