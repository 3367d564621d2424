//! The catalogue as its owner keeps it: lists, stock by hand, what runs low.

use serde_json::json;
use system_tests::{ACCOUNTANT, ORDER_MANAGER, OTHER_OWNER, OWNER, PATIENCE, TestStack, WHATSAPP};

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_changed_with_a_reason_and_its_owner_is_told_once_when_it_runs_low() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let body = json!({"name": "Lamp 7", "price": "50.00", "cost": "20.00", "stock": 10, "low_stock_at": 3, "image_url": "https://x.example/lamp.png"});
    let product = owner.post("/products", &body, 201).await.unwrap();
    assert_eq!((&product["low_stock_at"], &product["low_stock"]), (&json!(3), &json!(false)));
    let path = format!("/products/{}/stock", product["id"]);
    let damaged = json!({"change": -8, "reason": "damaged in transport"});
    let made = owner.post_with_key(&path, "stock-1", &damaged, 201).await.unwrap();
    assert_eq!((&made["stock"], &made["kind"]), (&json!(2), &json!("adjusted")));
    assert_eq!(owner.post_with_key(&path, "stock-1", &damaged, 201).await.unwrap(), made, "the same key changes nothing twice");
    assert_eq!(owner.post(&path, &json!({"change": -3, "reason": "x"}), 409).await.unwrap()["code"], "stock_out_of_range");
    let problem = owner.post(&path, &json!({"change": 0}), 422).await.unwrap();
    assert_eq!(problem["fields"].as_array().unwrap().len(), 2);
    let history = owner.get(&path, 200).await.unwrap();
    let seen: Vec<(i64, &str)> =
        history["items"].as_array().unwrap().iter().map(|row| (row["change"].as_i64().unwrap(), row["kind"].as_str().unwrap())).collect();
    assert_eq!(seen, [(-8, "adjusted"), (10, "saved")]);

    let low = owner.get("/products?low_stock=true", 200).await.unwrap();
    assert_eq!((low["items"].as_array().unwrap().len(), &low["items"][0]["id"]), (1, &product["id"]));
    let mail = stack.sandbox.state().wait_for_mails(1, PATIENCE, |mail| mail.text.contains("Lamp 7: 2 left")).await;
    assert_eq!(mail.len(), 1, "the owner has one mail");

    let manager = stack.log_in(ORDER_MANAGER).await.unwrap();
    assert_eq!(manager.get(&path, 200).await.unwrap()["items"].as_array().unwrap().len(), 2);
    manager.post(&path, &damaged, 403).await.unwrap();
    let other = stack.log_in(OTHER_OWNER).await.unwrap();
    other.post(&path, &damaged, 404).await.unwrap();
    other.get(&path, 404).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_sorted_and_mistakes_are_named() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let first = owner.get("/products?sort=-price&limit=2&min_price=10", 200).await.unwrap();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = owner.get(&format!("/products?sort=-price&limit=2&min_price=10&cursor={cursor}"), 200).await.unwrap();
    let price = |page: &serde_json::Value, at: usize| page["items"][at]["price"].as_str().unwrap().parse::<f64>().unwrap();
    let prices = [price(&first, 0), price(&first, 1), price(&second, 0), price(&second, 1)];
    assert!(prices.windows(2).all(|two| two[0] >= two[1]), "{prices:?}");
    let problem = owner.get("/products?sort=colour&min_price=5&max_price=4&low_stock=maybe", 422).await.unwrap();
    let fields: Vec<&str> = problem["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["low_stock", "max_price", "sort"]);
    for url in ["http://x.example/a.png", "https://user:secret@x.example/", "ftp://x", "nothing"] {
        let body = json!({"name": "x", "price": "1.00", "cost": "1.00", "stock": 1, "image_url": url});
        assert_eq!(owner.post("/products", &body, 422).await.unwrap()["fields"][0]["field"], "image_url", "{url}");
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_kept_taken_out_and_put_back_by_its_owner_alone() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let (other, books) = (stack.log_in(OTHER_OWNER).await.unwrap(), stack.log_in(ACCOUNTANT).await.unwrap());
    let lamp = json!({"name": "Lamp 8", "sku": "L-8", "price": "50.00", "cost": "20.00", "stock": 10});
    let made = owner.post_with_key("/products", "lamp-8", &lamp, 201).await.unwrap();
    assert_eq!(owner.post_with_key("/products", "lamp-8", &lamp, 201).await.unwrap(), made, "the same key adds one");
    assert_eq!(owner.post("/products", &lamp, 409).await.unwrap()["code"], "sku_taken");
    let (id, path) = (&made["id"], format!("/products/{}", made["id"]));
    let order = json!({"lines": [{"product_id": id, "quantity": 4}], "customer_name": "Ada"});
    manager.post("/orders", &order, 201).await.unwrap();
    let cheaper = json!({"id": id, "name": "Lamp 8", "sku": "L-8", "price": "45.00", "cost": "20.00"});
    let changed = owner.post("/products", &cheaper, 200).await.unwrap();
    assert_eq!((&changed["price"], &changed["stock"]), (&json!("45.00"), &json!(6)), "what was sold meanwhile stays sold");

    let seen = manager.get(&path, 200).await.unwrap();
    assert_eq!((&seen["price"], seen.get("cost")), (&json!("45.00"), None), "an order manager never sees a cost");
    assert_eq!(owner.get(&path, 200).await.unwrap()["cost"], "20.00");
    books.get(&path, 403).await.unwrap();
    other.get(&path, 404).await.unwrap();
    for nothing in ["/products/99999999", "/products/x"] {
        owner.get(nothing, 404).await.unwrap();
        owner.delete(nothing, 404).await.unwrap();
        owner.post(&format!("{nothing}/restore"), &json!({}), 404).await.unwrap();
    }

    let back = format!("{path}/restore");
    manager.delete(&path, 403).await.unwrap();
    for _ in 0..2 {
        owner.delete(&path, 204).await.unwrap();
    }
    manager.post("/orders", &order, 404).await.unwrap();
    assert_eq!(owner.post(&format!("{path}/stock"), &json!({"change": 1, "reason": "found"}), 404).await.unwrap()["code"], "not_found");
    let listed =
        async |query: &str| owner.get(&format!("/products?q=lamp%208{query}"), 200).await.unwrap()["items"].as_array().unwrap().len();
    assert_eq!((listed("").await, listed("&archived=true").await), (0, 1));
    let successor = owner.post("/products", &lamp, 201).await.unwrap();
    manager.post(&back, &json!({}), 403).await.unwrap();
    other.post(&back, &json!({}), 404).await.unwrap();
    assert_eq!(owner.post(&back, &json!({}), 409).await.unwrap()["code"], "sku_taken");
    owner.delete(&format!("/products/{}", successor["id"]), 204).await.unwrap();
    let restored = owner.post_with_key(&back, "back-8", &json!({}), 200).await.unwrap();
    assert_eq!((&restored["id"], &restored["active"], &restored["stock"]), (id, &json!(true), &json!(6)));
    assert_eq!(owner.post_with_key(&back, "back-8", &json!({}), 200).await.unwrap(), restored);
    owner.post(&back, &json!({}), 200).await.unwrap();
    assert_eq!((listed("").await, listed("&archived=true").await), (1, 1));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_what_somebody_has_changed_is_told_and_a_sale_is_no_change() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let new = json!({"name": "Once 40", "price": "10.00", "cost": "4.00", "stock": 5});
    let product = owner.post("/products", &new, 201).await.unwrap();
    assert_eq!(product["version"], 1);
    let lines = json!([{"product_id": product["id"], "quantity": 2}]);
    let order = owner.post("/orders", &json!({"lines": lines, "customer_name": "Kim"}), 201).await.unwrap()["order_no"].clone();

    // Both read version 1; a sale came between.
    let change = |name: &str| json!({"id": product["id"], "version": 1, "name": name, "price": "10.00", "cost": "4.00"});
    let first = owner.post_with_key("/products", "first", &change("Once 41"), 200).await.unwrap();
    assert_eq!((&first["version"], &first["stock"]), (&json!(2), &json!(3)));
    let second = owner.post("/products", &change("Once 42"), 409).await.unwrap();
    assert_eq!(second["code"], "changed_meanwhile");
    assert_eq!(owner.post_with_key("/products", "first", &change("Once 41"), 200).await.unwrap(), first, "a repeat is no second change");
    let standing = owner.get(&format!("/products/{}", product["id"]), 200).await.unwrap();
    assert_eq!((&standing["name"], &standing["version"]), (&json!("Once 41"), &json!(2)));
    let problem =
        owner.post("/products", &json!({"version": 1, "name": "x", "price": "1.00", "cost": "1.00", "stock": 1}), 422).await.unwrap();
    assert_eq!(problem["fields"][0]["field"], "version");

    // An order: one confirms it while the other, who read it as pending, cancels.
    let path = format!("/orders/{order}");
    manager.patch(&path, &json!({"status": "confirmed", "from": "pending"}), 200).await.unwrap();
    let late = owner.patch(&path, &json!({"status": "cancelled", "from": "pending"}), 409).await.unwrap();
    assert_eq!(late["code"], "changed_meanwhile");
    assert_eq!(owner.get(&path, 200).await.unwrap()["status"], "confirmed");
    owner.patch(&path, &json!({"status": "cancelled", "from": "confirmed"}), 200).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_added_in_one_go_sold_one_by_one_and_found_by_the_agent() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let boots = json!({"name": "Zephyr Boots", "sku": "zb-41", "price": "80.00", "cost": "30.00", "stock": 4, "low_stock_at": 1});
    let first = owner.post("/products", &boots, 201).await.unwrap();
    let path = format!("/products/{}/variants", first["id"]);
    let sizes = json!({"options": {"Size": "41"}, "variants": [
        {"options": {"size": "42"}, "sku": "zb-42", "stock": 3}, {"options": {"size": "43"}, "price": "85.00", "stock": 0}]});
    for (body, field) in [
        (json!({"variants": [{"options": {"size": "42"}, "stock": 3}]}), "options"),
        (json!({"options": {"size": "41"}, "variants": [{"options": {"colour": "red"}, "stock": 3}]}), "variants[0].options"),
        (json!({"options": {"size": "41"}, "variants": [{"options": {"size": "41"}, "stock": 3}]}), "variants[0].options"),
        (json!({"options": {"size": "41"}, "variants": [{"options": {}, "stock": 3}]}), "variants[0].options"),
        (json!({"options": {"size": "41"}, "variants": [{"options": {"size": "42"}}]}), "variants[0].stock"),
        (json!({"options": {"size": "41"}, "variants": []}), "variants"),
    ] {
        let problem = owner.post(&path, &body, 422).await.unwrap();
        assert_eq!(problem["fields"][0]["field"], field, "{problem}");
    }
    assert_eq!(owner.get(&format!("/products/{}", first["id"]), 200).await.unwrap(), first, "all of it, or nothing");
    manager.post(&path, &sizes, 403).await.unwrap();
    owner.post("/products/999999/variants", &sizes, 404).await.unwrap();
    let added = owner.post_with_key(&path, "sizes", &sizes, 201).await.unwrap();
    assert_eq!(owner.post_with_key(&path, "sizes", &sizes, 201).await.unwrap(), added);
    let (size_42, size_43) = (&added["items"][0], &added["items"][1]);
    assert_eq!((&size_42["name"], &size_42["price"], &size_42["low_stock_at"]), (&json!("Zephyr Boots (42)"), &json!("80.00"), &json!(1)));
    assert_eq!((&size_43["price"], &size_43["stock"]), (&json!("85.00"), &json!(0)));
    let taken = json!({"variants": [{"options": {"size": "44"}, "sku": "zb-42", "stock": 1}]});
    assert_eq!(owner.post(&path, &taken, 409).await.unwrap()["code"], "sku_taken");
    let group = owner.get(&format!("/products?variant_group={}", first["id"]), 200).await.unwrap();
    let names: Vec<_> = group["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["Zephyr Boots (41)", "Zephyr Boots (42)", "Zephyr Boots (43)"]);

    // One size is sold, the others stay; what is not there is not sold.
    let order =
        |id: &serde_json::Value, quantity: i32| json!({"lines": [{"product_id": id, "quantity": quantity}], "customer_name": "Kim"});
    let sold = owner.post("/orders", &order(&size_42["id"], 2), 201).await.unwrap();
    assert_eq!(sold["lines"][0]["product_name"], "Zephyr Boots (42)");
    assert_eq!(owner.post("/orders", &order(&size_43["id"], 1), 409).await.unwrap()["code"], "out_of_stock");
    let stock = async |id: &serde_json::Value| owner.get(&format!("/products/{id}"), 200).await.unwrap()["stock"].clone();
    assert_eq!((stock(&first["id"]).await, stock(&size_42["id"]).await), (json!(4), json!(1)));

    // Saving what was read changes no name; a new name is everybody's.
    let save = |name: &str| json!({"id": size_42["id"], "name": name, "sku": "zb-42", "price": "80.00", "cost": "30.00"});
    assert_eq!(owner.post("/products", &save("Zephyr Boots (42)"), 200).await.unwrap()["name"], "Zephyr Boots (42)");
    assert_eq!(owner.post("/products", &save("Storm Boots"), 200).await.unwrap()["name"], "Storm Boots (42)");
    let renamed = owner.get(&format!("/products/{}", first["id"]), 200).await.unwrap();
    assert_eq!((&renamed["name"], &renamed["title"]), (&json!("Storm Boots (41)"), &json!("Storm Boots")));

    // A customer finds the size, and buys that one.
    let customer = stack.customer(WHATSAPP, "491760000051");
    customer.says("do you have storm boots in 41? I'd take one").unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    assert!(proposal.text.as_deref().is_some_and(|text| text.contains("Storm Boots (41)")), "{:?}", proposal.text);
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(stock(&first["id"]).await, json!(3));

    // Archived, its place is free; and it does not come back onto a taken one.
    owner.delete(&format!("/products/{}", size_43["id"]), 204).await.unwrap();
    owner.post(&path, &json!({"variants": [{"options": {"size": "43"}, "stock": 5}]}), 201).await.unwrap();
    let back = owner.post(&format!("/products/{}/restore", size_43["id"]), &json!({}), 409).await.unwrap();
    assert_eq!(back["code"], "variant_taken");
    stack.stop().await.unwrap();
}
