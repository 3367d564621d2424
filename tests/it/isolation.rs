//! Two shops at once: every route of the description with the other shop's ids, and both shops' people hammering the API together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use frontdesk_core::clock::{Clock as _, SystemClock};
use frontdesk_sandbox::Inbound;
use futures_util::future::join_all;
use serde_json::{Value, json};
use system_tests::{Api, OTHER_OWNER, OWNER, SERVICE_WHATSAPP, TestStack, User, WHATSAPP, until};

/// No number of anything.
const MISSING: &str = "999999999";
/// How often everybody asks for everything.
const ROUNDS: usize = 12;

/// A shop with one of each, whose every text holds a word that no other shop has.
struct Side<'a> {
    api: Api<'a>,
    shop: i64,
    word: &'static str,
    /// What stands for a path's parameter, by the path up to it.
    ids: BTreeMap<&'static str, String>,
}

impl<'a> Side<'a> {
    async fn fill(stack: &'a TestStack, user: User<'a>, account: &'a str, number: &'a str, word: &'static str) -> anyhow::Result<Self> {
        let api = stack.log_in(user).await?;
        let me = api.get("/auth/me", 200).await?;
        let shop = me["shop"]["id"].as_i64().unwrap();
        let body = json!({"name": format!("{word} boots"), "description": word, "price": "10.00", "cost": "4.00", "stock": 5000});
        let product = api.post("/products", &body, 201).await?["id"].to_string();
        let lines = json!([{"product_id": product.parse::<i64>()?, "quantity": 1}]);
        let order = api.post("/orders", &json!({"lines": lines, "customer_name": word}), 201).await?["order_no"].to_string();
        let customer = stack.customer(account, number);
        customer.says(&format!("do you have {word} boots?"))?;
        customer.hears_answer().await?;
        customer.sends(&Inbound::Image { caption: None })?;
        let kept = format!("SELECT count(*) FROM media WHERE shop_id = {shop} AND state = 'kept'");
        until("the picture is kept", async || Ok((stack.count(&kept).await? == 1).then_some(()))).await?;
        let in_shop = |what: &str| format!("SELECT max(id)::bigint FROM {what} WHERE shop_id = {shop}");
        let conversation = stack.count(&in_shop("conversations")).await?.to_string();
        let path = format!("/conversations/{conversation}/notes");
        let note = api.post(&path, &json!({"text": format!("{word} again")}), 201).await?["id"].to_string();
        let colleague = json!({"email": format!("{word}@team.example"), "role": "order_manager"});
        let colleague = api.post("/team", &colleague, 201).await?["id"].to_string();
        let staff = api.post("/staff", &json!({"name": word}), 201).await?["id"].clone();
        let service =
            json!({"name": word, "duration_minutes": 30, "price": "10.00", "lead_minutes": 0, "horizon_days": 60, "staff_ids": [staff]});
        let service = api.post("/services", &service, 201).await?["id"].clone();
        let closure = json!({"from_day": "2027-01-01", "note": word});
        let closure = api.post("/closures", &closure, 201).await?["id"].to_string();
        let soon = (SystemClock.now() + TimeDelta::days(3)).format("%Y-%m-%dT%H:%M:00Z").to_string();
        let booking = json!({"service_id": service, "starts_at": soon, "customer_name": word, "anyway": true});
        let appointment = api.post("/appointments", &booking, 201).await?["id"].to_string();
        let session = api.get("/auth/sessions", 200).await?["items"][0]["id"].as_str().unwrap().to_owned();
        let look = stack.database.look().await?;
        let job = look.query_one("SELECT max(job_id) FROM requests WHERE shop_id = $1", &[&i32::try_from(shop)?]).await?;
        let ids = BTreeMap::from([
            ("/products", product),
            ("/orders", order),
            ("/conversations", conversation),
            ("/conversations/{id}/notes", note),
            ("/conversations/{id}/turns", stack.count(&in_shop("turns")).await?.to_string()),
            ("/customers", stack.count(&in_shop("customers")).await?.to_string()),
            ("/staff", staff.to_string()),
            ("/services", service.to_string()),
            ("/closures", closure),
            ("/appointments", appointment),
            ("/media", stack.count(&in_shop("media")).await?.to_string()),
            ("/channels", stack.count(&in_shop("channels")).await?.to_string()),
            ("/team", colleague),
            ("/auth/sessions", session),
            ("/jobs", format!("place_order.{}.{}", job.get::<_, String>(0), "0".repeat(64))),
        ]);
        Ok(Self { api, shop, word, ids })
    }

    fn id(&self, prefix: &str) -> &str {
        self.ids.get(prefix).unwrap_or_else(|| panic!("say here what stands for the parameter after {prefix}"))
    }
}

async fn sides(stack: &TestStack) -> [Side<'_>; 2] {
    // Orders are numbered by shop: from different numbers on, so that a number tells whose it is.
    let apart = "UPDATE shops SET plan = 'business'; UPDATE order_numbers SET next_no = 1000000 * (1 + shop_id)";
    stack.database.look().await.unwrap().batch_execute(apart).await.unwrap();
    let one = Side::fill(stack, OWNER, WHATSAPP, "491740000001", "zebrastripe").await.unwrap();
    let other = Side::fill(stack, OTHER_OWNER, SERVICE_WHATSAPP, "491740000002", "quincejelly").await.unwrap();
    [one, other]
}

struct Operation {
    method: String,
    path: String,
    body: Option<Value>,
    /// It does not answer without some query.
    asks: bool,
}

/// Every operation of the description that staff may call, but uploads.
async fn operations(api: &Api<'_>) -> Vec<Operation> {
    let description = api.get("/openapi.json", 200).await.unwrap();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let body = operation["requestBody"]["content"]["application/json"].clone();
            // What is everybody's belongs to no shop, and files have stories of their own.
            if operation["security"] == json!([]) || (!body.is_object() && operation["requestBody"].is_object()) {
                continue;
            }
            let example = body.get("example").cloned().or_else(|| body.is_object().then(|| json!({})));
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let asks = parameters.into_iter().any(|asked| asked["in"] == "query" && asked["required"] == true);
            operations.push(Operation { method: method.to_uppercase(), path: path.clone(), body: example, asks });
        }
    }
    operations.retain(|operation| !operation.path.starts_with("/admin/"));
    operations
}

/// The path up to each of its parameters.
fn places(path: &str) -> Vec<&str> {
    path.match_indices("/{").map(|(at, _)| &path[..at]).collect()
}

/// The path with its parameters filled in.
fn filled(path: &str, ids: &[&str]) -> String {
    let mut ids = ids.iter();
    let part = |part: &str| if part.starts_with('{') { ids.next().unwrap().to_string() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Without what may differ between two requests.
fn told(body: &str) -> Value {
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| name != "instance" && name != "request_id");
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn another_shops_id_is_a_missing_one_on_every_route_of_the_description() {
    let stack = TestStack::start().await.unwrap();
    let [one, other] = sides(&stack).await;
    let mut probed = 0;
    for Operation { method, path, body, .. } in operations(&one.api).await {
        let places = places(&path);
        for foreign in 0..places.len() {
            let mut ids: Vec<&str> = places.iter().map(|prefix| one.id(prefix)).collect();
            ids[foreign] = other.id(places[foreign]);
            let theirs = one.api.ask(&method, &filled(&path, &ids), body.as_ref()).await.unwrap();
            ids[foreign] = MISSING;
            let missing = one.api.ask(&method, &filled(&path, &ids), body.as_ref()).await.unwrap();
            assert_eq!((theirs.0, missing.0), (404, 404), "{method} {path}: {} / {}", theirs.1, missing.1);
            assert_eq!(told(&theirs.1), told(&missing.1), "{method} {path}");
            probed += 1;
        }
    }
    assert!(probed >= 20, "only {probed} parameters were probed");

    // In bodies and queries, too.
    let number = |prefix: &str| other.id(prefix).parse::<i64>().unwrap();
    let lines = json!([{"product_id": number("/products"), "quantity": 1}]);
    let product = json!({"id": number("/products"), "name": "mine", "price": "1.00", "cost": "1.00", "stock": 1});
    for (path, body) in [("/orders", json!({"lines": lines, "customer_name": "x"})), ("/products", product)] {
        one.api.post(path, &body, 404).await.unwrap();
    }
    let own = one.id("/conversations");
    one.api.post(&format!("/conversations/{own}/assign"), &json!({"user_id": number("/team")}), 422).await.unwrap();
    for query in [format!("customer_id={}", other.id("/customers")), format!("product_id={}", other.id("/products"))] {
        assert_eq!(one.api.get(&format!("/orders?{query}"), 200).await.unwrap()["items"], json!([]), "{query}");
    }
    let selection = json!({"customer_id": number("/customers"), "from": "2026-01-01", "to": "2027-01-01"});
    let (_, file) = one.api.file("/orders/export", &selection).await.unwrap();
    assert_eq!(file.lines().count(), 1, "{file}");
    stack.stop().await.unwrap();
}

impl Side<'_> {
    /// Everything that can be read, and writes between.
    async fn hammer(&self, reads: &[String], foreign: &str) {
        for round in 0..ROUNDS {
            let lines = json!([{"product_id": self.id("/products").parse::<i64>().unwrap(), "quantity": 1}]);
            let order = json!({"lines": lines, "customer_name": format!("{} {round}", self.word)});
            let placed = self.api.post("/orders", &order, 201).await.unwrap().to_string();
            assert!(placed.contains(self.word) && !placed.contains(foreign), "{placed}");
            let read = reads.iter().map(async |path| (path, self.api.ask("GET", path, None).await.unwrap()));
            for (path, (status, text)) in join_all(read).await {
                assert_eq!(status, 200, "GET {path}: {text}");
                assert!(!text.contains(foreign), "GET {path} shows {foreign}: {text}");
            }
            let products = self.api.get(&format!("/products?q={}", self.word), 200).await.unwrap();
            assert_eq!(products["items"][0]["id"].to_string(), self.id("/products"), "a shop sees its own");
            assert_eq!(self.api.get(&format!("/products?q={foreign}"), 200).await.unwrap()["items"], json!([]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_shops_that_hammer_at_once_never_see_each_others_data() {
    let stack = TestStack::start().await.unwrap();
    let [one, other] = sides(&stack).await;
    let all = operations(&one.api).await.into_iter();
    let gets: Vec<String> = all.filter(|asked| asked.method == "GET" && !asked.asks).map(|asked| asked.path).collect();
    let reads = |side: &Side<'_>| -> Vec<String> {
        let alike = |path: &&String| !["/events", "/jobs/{id}", "/webhook/meta"].contains(&path.as_str());
        let own = |path: &String| filled(path, &places(path).into_iter().map(|prefix| side.id(prefix)).collect::<Vec<_>>());
        gets.iter().filter(alike).map(own).collect()
    };
    let (mine, theirs) = (reads(&one), reads(&other));
    assert!(mine.len() >= 20, "{mine:?}");
    let open = [one.api.dashboard("").await.unwrap(), other.api.dashboard("").await.unwrap()];
    tokio::join!(
        one.hammer(&mine, other.word),
        one.hammer(&mine, other.word),
        other.hammer(&theirs, one.word),
        other.hammer(&theirs, one.word),
    );

    // What the open dashboards heard meanwhile is their own shop's orders, all of them.
    let orders_of = async |side: &Side<'_>| {
        let look = stack.database.look().await?;
        let rows = look.query("SELECT DISTINCT order_no FROM orders WHERE shop_id = $1", &[&i32::try_from(side.shop)?]).await?;
        Ok::<_, anyhow::Error>(rows.iter().map(|row| row.get::<_, i64>(0)).collect::<BTreeSet<_>>())
    };
    for (side, mut dashboard) in [&one, &other].into_iter().zip(open) {
        let own = orders_of(side).await.unwrap();
        let mut heard = BTreeSet::new();
        while heard.len() < 2 * ROUNDS {
            let frame = dashboard.hears().await.unwrap();
            if frame["kind"] == "order" {
                let order_no = frame["data"]["order_no"].as_i64().unwrap();
                assert!(own.contains(&order_no), "{} hears of order {order_no}", side.word);
                heard.insert(order_no);
            }
        }
    }
    stack.stop().await.unwrap();
}
