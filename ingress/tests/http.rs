//! The ingress over real sockets and a real Redis, while Postgres is away.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

mod support;

use std::time::Duration;

use frontdesk_core::auth::Role;
use frontdesk_ingress::routes::{Access, Gives, table};
use serde_json::{Value, json};
use support::{APP_SECRET, INSTAGRAM_SECRET, Ingress, admin, raw, staff};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A path of the table with its parameters filled in.
fn concrete(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "7" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn a_signed_webhook_is_accepted_into_redis_while_postgres_is_away() {
    let ingress = Ingress::start().await;
    let before = ingress.redis.command("DBSIZE").await;
    let answer = ingress.deliver(&fixture("whatsapp_inbound_text"), APP_SECRET).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_ne!(ingress.redis.command("DBSIZE").await, before, "200 without a trace in Redis");
    let instagram = ingress.deliver(&fixture("instagram_inbound_mixed"), INSTAGRAM_SECRET).await;
    assert_eq!(instagram.status, 200, "the Instagram app signs with a secret of its own");
    ingress.stop().await;
}

#[tokio::test]
async fn a_wrong_signature_leaves_no_trace() {
    let ingress = Ingress::start().await;
    let body = fixture("whatsapp_inbound_text");
    let before = ingress.redis.command("DBSIZE").await;
    assert_eq!(ingress.deliver(&body, "another secret").await.status, 401);
    assert_eq!(ingress.send("POST", "/webhook/meta", &[], &body).await.status, 401);
    let sha1 = [("x-hub-signature", "sha1=0000000000000000000000000000000000000000")];
    assert_eq!(ingress.send("POST", "/webhook/meta", &sha1, &body).await.status, 401);
    assert_eq!(ingress.redis.command("DBSIZE").await, before);
    ingress.stop().await;
}

#[tokio::test]
async fn webhooks_get_503_while_redis_is_away() {
    let mut ingress = Ingress::start().await;
    ingress.redis.kill();
    let answer = ingress.deliver(&fixture("whatsapp_inbound_text"), APP_SECRET).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(ingress.get("/readyz", None).await.status, 503);
    assert_eq!(ingress.get("/healthz", None).await.status, 200);
    assert_eq!(
        ingress.get("/orders", Some(&staff(Role::Owner))).await.status,
        503,
        "who cannot see that a session was revoked must not let it in"
    );
}

#[tokio::test]
async fn the_challenge_comes_back_to_who_knows_the_word() {
    let ingress = Ingress::start().await;
    let known = ingress.get("/webhook/meta?hub.challenge=11583%2B9&hub.verify_token=verify_token_for_tests&hub.mode=subscribe", None).await;
    assert_eq!((known.status, known.body.as_str()), (200, "11583+9"));
    for query in [
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify_token_for_tests",
        "hub.mode=subscribe&hub.verify_token=verify_token_for_tests",
        "",
    ] {
        assert_eq!(ingress.get(&format!("/webhook/meta?{query}"), None).await.status, 403, "{query}");
    }
    ingress.stop().await;
}

#[tokio::test]
async fn nobody_gets_401_and_the_wrong_role_403_on_every_route_of_the_table() {
    let ingress = Ingress::start().await;
    let roles: Vec<(Role, String)> = Role::ALL.iter().map(|role| (*role, staff(*role))).collect();
    for route in table() {
        let (method, path) = (route.method.as_str(), concrete(route.path));
        let call = async |token: Option<&str>| ingress.call(method, &path, token, None).await.status;
        match route.access {
            Access::Public | Access::Operations => {}
            Access::Signed(_) => assert_eq!(call(None).await, 401, "{method} {path}"),
            Access::Anyone | Access::Admin | Access::Staff(_) => {
                assert_eq!(call(None).await, 401, "{method} {path}");
                assert_eq!(call(Some("a.b.c")).await, 401, "{method} {path}");
            }
        }
        if let Access::Staff(permission) = route.access {
            assert_eq!(call(Some(&admin())).await, 403, "{method} {path} as administrator");
            for (role, token) in &roles {
                let status = call(Some(token)).await;
                assert_eq!(status == 403, !role.may(permission), "{method} {path} as {role:?}: {status}");
                assert_ne!(status, 401, "{method} {path} as {role:?}");
            }
        }
        if route.access == Access::Admin {
            for (role, token) in &roles {
                assert_eq!(call(Some(token)).await, 403, "{method} {path} as {role:?}");
            }
        }
    }
    ingress.stop().await;
}

#[tokio::test]
async fn a_log_out_ends_the_session_at_once() {
    let ingress = Ingress::start().await;
    let (gone, other) = (staff(Role::Owner), staff(Role::Owner));
    let answer = ingress.call("POST", "/auth/logout", Some(&gone), None).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.contains("max-age=0")));
    assert_eq!(ingress.get("/auth/me", Some(&gone)).await.status, 401);
    assert_eq!(ingress.call("POST", "/auth/logout", Some(&gone), None).await.status, 401);
    assert_ne!(ingress.get("/auth/me", Some(&other)).await.status, 401, "another session of the same person goes on");
    ingress.stop().await;
}

#[tokio::test]
async fn what_comes_in_the_clear_through_a_proxy_of_ours_is_sent_to_https() {
    let ours = [("PUBLIC_URL", "https://desk.example.com"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let ingress = Ingress::start_with(&ours).await;
    let (plain, tls) = (("x-forwarded-proto", "http"), ("x-forwarded-proto", "https"));
    let moved = ingress.send("GET", "/orders?limit=5", &[plain], b"").await;
    assert_eq!((moved.status, moved.header("location")), (308, Some("https://desk.example.com/orders?limit=5")));
    assert_eq!(moved.header("strict-transport-security"), None, "it says nothing in the clear");
    let refused = ingress.send("POST", "/auth/login", &[plain], b"{}").await;
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("https_required")));
    assert_eq!(ingress.send("GET", "/healthz", &[plain], b"").await.status, 200, "a load balancer looks in the clear");
    let secure = ingress.send("GET", "/orders", &[tls], b"").await;
    assert_eq!((secure.status, secure.header("strict-transport-security")), (401, Some("max-age=31536000")));
    assert_eq!(ingress.get("/orders", None).await.header("strict-transport-security"), None, "nobody says that it was TLS");
    ingress.stop().await;

    let direct = Ingress::start_with(&ours[..1]).await;
    let forged = direct.send("GET", "/orders", &[plain], b"").await;
    assert_eq!((forged.status, forged.header("strict-transport-security")), (401, None), "whoever connects may write anything there");
    direct.stop().await;
}

#[tokio::test]
async fn a_cookie_counts_only_from_our_own_pages() {
    let ingress = Ingress::start().await;
    let cookie = format!("frontdesk={}", staff(Role::Owner));
    let post = async |headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", cookie.as_str()), ("content-type", "application/json")];
        all.extend(headers);
        ingress.send("POST", "/products", &all, b"{}").await.status
    };
    for foreign in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8081")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")],
    ] {
        assert_eq!(post(foreign).await, 403, "{foreign:?}");
    }
    for own in [
        &[("origin", "http://localhost:8080")][..],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")],
    ] {
        assert_eq!(post(own).await, 422, "{own:?}");
    }
    let read = ingress.send("GET", "/auth/me", &[("cookie", &cookie), ("origin", "https://evil.example")], b"").await;
    assert_ne!(read.status, 403, "reading is kept from other sites by the browser");
    let login = [("origin", "https://evil.example"), ("content-type", "application/json")];
    assert_eq!(
        ingress.send("POST", "/auth/login", &login, b"{}").await.status,
        403,
        "nobody is logged in as somebody else by another site"
    );
    ingress.stop().await;
}

#[tokio::test]
async fn a_write_that_takes_long_gets_202_and_a_place_that_only_its_owner_finds() {
    let ingress = Ingress::start().await;
    let owner = staff(Role::Owner);
    let body = json!({"name": "Sock", "price": "4.90", "cost": "1.10", "stock": 3});
    let answer = ingress.call("POST", "/products", Some(&owner), Some(body)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let place = answer.header("location").unwrap().to_owned();
    assert!(place.starts_with("/jobs/save_product."), "{place}");
    let stranger = support::token(frontdesk_core::auth::Who::User {
        id: frontdesk_core::ids::UserId(8),
        shop: frontdesk_core::ids::ShopId(4),
        role: Role::Owner,
    });
    let (theirs, nothing) = (ingress.get(&place, Some(&stranger)).await, ingress.get("/jobs/7", Some(&owner)).await);
    assert_eq!((theirs.status, &theirs.body), (404, &nothing.body));
    ingress.stop().await;
}

#[tokio::test]
async fn fields_are_named_with_their_remedy() {
    let ingress = Ingress::start().await;
    let owner = staff(Role::Owner);
    let body = json!({"name": "", "price": 5, "stock": "x", "shop_id": 4});
    let answer = ingress.call("POST", "/products", Some(&owner), Some(body)).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    let fields: Vec<&str> = problem["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!((problem["code"].as_str(), fields), (Some("invalid"), vec!["name", "price", "cost", "stock", "shop_id"]));
    for (headers, body, status) in
        [(&[("content-type", "text/plain")][..], "{}", 415), (&[], "{}", 415), (&[("content-type", "application/json")], "{", 400)]
    {
        let bearer = format!("Bearer {owner}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        assert_eq!(ingress.send("POST", "/products", &all, body.as_bytes()).await.status, status, "{body}");
    }
    let bad_key = [("authorization", &*format!("Bearer {owner}")), ("content-type", "application/json"), ("idempotency-key", "two words")];
    assert_eq!(ingress.send("POST", "/products", &bad_key, b"{}").await.status, 422);
    ingress.stop().await;
}

#[tokio::test]
async fn paths_and_methods_are_told_apart() {
    let ingress = Ingress::start().await;
    assert_eq!(ingress.get("/nowhere", None).await.status, 404);
    let wrong = ingress.call("PUT", "/orders", None, None).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("post, get, head, options")));
    let options = ingress.call("OPTIONS", "/orders/7", None, None).await;
    assert_eq!((options.status, options.header("allow")), (204, Some("get, patch, head, options")));
    let head = ingress.call("HEAD", "/healthz", None, None).await;
    assert_eq!((head.status, head.body.as_str(), head.header("content-length")), (200, "", Some("3")));
    let page = ingress.get("/docs", None).await;
    assert!(page.status == 200 && page.head.contains("content-security-policy") && page.body.contains("/webhook/meta"));
    let explained = ingress.get("/nowhere", None).await.json()["type"].as_str().unwrap().to_owned();
    assert!(page.body.contains(&format!("id=\"{}\"", explained.strip_prefix("/docs#").unwrap())), "{explained} is explained there");
    assert_eq!(ingress.get("/openapi.json", None).await.json()["openapi"], "3.1.0");
    ingress.stop().await;
}

#[tokio::test]
async fn what_is_too_large_or_broken_is_refused_and_the_rest_goes_on() {
    let ingress = Ingress::start().await;
    let announced = b"POST /webhook/meta HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10000000\r\n\r\n";
    assert_eq!(raw(ingress.addr, announced).await.status, 413);
    let mut chunked = b"POST /webhook/meta HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..5 {
        chunked.extend(format!("{:x}\r\n", 1024 * 1024).into_bytes());
        chunked.extend(vec![b'x'; 1024 * 1024]);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert_eq!(raw(ingress.addr, &chunked).await.status, 413);
    let headers = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "y".repeat(64 * 1024));
    assert_eq!(raw(ingress.addr, headers.as_bytes()).await.status, 431);
    for smuggled in [
        "POST /webhook/meta HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcde",
        "GET /healthz HTTP/1.1\r\nhost : x\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n",
        "\u{1}\u{2}\u{3}\r\n\r\n",
    ] {
        assert_eq!(raw(ingress.addr, smuggled.as_bytes()).await.status, 400, "{smuggled:?}");
    }
    let deep = "[".repeat(200_000);
    let body = format!(r#"{{"object":"page","entry":[{deep}{}]}}"#, "]".repeat(200_000));
    assert_eq!(ingress.deliver(body.as_bytes(), APP_SECRET).await.status, 200, "a deep entry is recorded as unreadable");
    assert_eq!(ingress.deliver(b"{", APP_SECRET).await.status, 400);
    let three_megabytes = format!(r#"{{"object":"page","entry":[],"x":"{}"}}"#, "y".repeat(3 * 1024 * 1024));
    assert_eq!(ingress.deliver(three_megabytes.as_bytes(), APP_SECRET).await.status, 200);
    assert_eq!(ingress.get("/healthz", None).await.status, 200);
    ingress.stop().await;
}

#[tokio::test]
async fn a_slow_head_is_cut_off_and_others_are_served_meanwhile() {
    let ingress = Ingress::start().await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(ingress.addr).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nx-slow: ").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(ingress.get("/healthz", None).await.status, 200);
    let mut rest = Vec::new();
    let mut last = slow.pop().unwrap();
    tokio::time::timeout(Duration::from_secs(20), last.read_to_end(&mut rest)).await.expect("a slow client is kept for ever").ok();
    ingress.stop().await;
}

#[tokio::test]
async fn a_drain_finishes_what_has_begun_and_takes_nothing_new() {
    let ingress = Ingress::start_with(&[("API_WAIT_MS", "1500")]).await;
    let addr = ingress.addr;
    let body = json!({"name": "Sock", "price": "4.90", "cost": "1.10", "stock": 3}).to_string();
    let request = format!(
        "POST /products HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        staff(Role::Owner),
        body.len()
    );
    let before = ingress.redis.command("DBSIZE").await;
    let running = tokio::spawn(async move { raw(addr, request.as_bytes()).await });
    while ingress.redis.command("DBSIZE").await == before {
        tokio::task::yield_now().await;
    }
    ingress.stop().await;
    assert_eq!(running.await.unwrap().status, 202, "the request that was under way got its answer");
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn guessing_is_throttled_by_account_and_address_before_the_password_is_looked_at() {
    let ingress = Ingress::start().await;
    let guess =
        async |email: &str| ingress.call("POST", "/auth/login", None, Some(json!({"email": email, "password": "wrong password"}))).await;
    for _ in 0..10 {
        assert_ne!(guess("owner@shop.example").await.status, 429);
    }
    let answer = guess("Owner@Shop.example").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|seconds| (1..=900).contains(&seconds))));
    let mut refused = 0;
    for n in 0..100 {
        if guess(&format!("user{n}@shop.example")).await.status == 429 {
            refused += 1;
        }
    }
    assert_eq!(refused, 11, "one address has a hundred guesses at anybody, eleven of which were spent");
    ingress.stop().await;
}

#[tokio::test]
async fn administrators_see_queues_and_users_do_not() {
    let ingress = Ingress::start().await;
    let queues = ingress.get("/admin/queues", Some(&admin())).await;
    assert_eq!(queues.status, 200, "{queues:?}");
    assert!(queues.json()["items"].as_array().unwrap().iter().any(|queue| queue["queue"] == "answer_customer" && queue["dead"] == 0));
    assert_eq!(ingress.get("/admin/queues/place_order/dead?limit=5", Some(&admin())).await.json()["items"], json!([]));
    assert_eq!(ingress.get("/admin/queues/no_such/dead", Some(&admin())).await.status, 404);
    let retry = "/admin/queues/place_order/dead/0193e5c0-0000-7000-8000-000000000000/retry";
    assert_eq!(ingress.call("POST", retry, Some(&admin()), None).await.status, 404);
    ingress.stop().await;
}

/// What the described fields are.
fn properties(schema: &Value) -> std::collections::BTreeSet<String> {
    schema["properties"].as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn the_description_of_a_request_names_the_fields_that_are_read() {
    for route in table() {
        for shape in route.body.iter().chain(route.query.iter()) {
            let described = properties(&serde_json::to_value(&shape.schema).unwrap());
            let read = shape.fields.as_ref().unwrap().iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(described, read, "{} {}: {}", route.method, route.path, shape.name);
        }
    }
}

#[test]
fn every_example_of_the_description_is_accepted_by_the_reader_of_its_request() {
    let document = frontdesk_ingress::openapi::document(&table());
    let (mut read, mut wrong) = (0, Vec::new());
    for route in table() {
        let Some(check) = route.body.as_ref().and_then(|body| body.check) else { continue };
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let example = operation["requestBody"]["content"]["application/json"]["example"].clone();
        if let Err(problem) = check(example.to_string().as_bytes()) {
            wrong.push(format!("{} {}: {example}: {problem:?}", route.method, route.path));
        }
        read += 1;
    }
    assert!(read > 10 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn two_shapes_of_the_description_never_share_a_name() {
    let mut known = std::collections::BTreeMap::new();
    for route in table() {
        let given = match &route.gives {
            Gives::Json(_, shape) | Gives::Socket(shape) => Some(shape.as_ref().clone()),
            Gives::Text | Gives::Csv | Gives::Bytes | Gives::Redirect | Gives::Nothing => None,
        };
        for shape in route.body.iter().chain(route.query.iter()).chain(given.iter()) {
            let own = (shape.name.clone(), serde_json::to_value(&shape.schema).unwrap());
            let nested = shape.nested.iter().map(|(name, schema)| (name.clone(), serde_json::to_value(schema).unwrap()));
            for (name, schema) in nested.chain([own]) {
                let first = known.entry(name.clone()).or_insert_with(|| schema.clone());
                assert_eq!(*first, schema, "{name} of {} {}", route.method, route.path);
            }
        }
    }
}

#[test]
fn the_postman_collection_has_every_route_once() {
    let collection = frontdesk_ingress::postman::collection(&frontdesk_ingress::openapi::document(&table()));
    let folders = collection["item"].as_array().unwrap();
    let requests = folders.iter().flat_map(|folder| folder["item"].as_array().unwrap());
    let names: std::collections::BTreeSet<_> = requests.map(|request| request["name"].as_str().unwrap().to_owned()).collect();
    let routes = table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(names, routes);
}

#[tokio::test]
async fn a_shop_that_asks_too_much_is_told_when_to_go_on_and_others_are_not() {
    let ingress = Ingress::start().await;
    let path = "/jobs/nonsense";
    let answer = ingress.get(path, Some(&staff(Role::Owner))).await;
    assert_eq!((answer.status, answer.header("ratelimit-limit"), answer.header("ratelimit-remaining")), (404, Some("600"), Some("599")));
    ingress.redis.command("INCRBY fd:throttle:{api:3} 598").await.unwrap();
    assert_eq!(ingress.get(path, Some(&staff(Role::Owner))).await.header("ratelimit-remaining"), Some("0"));
    let answer = ingress.get(path, Some(&staff(Role::Owner))).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (429, Some("rate_limited")));
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds))));
    assert_eq!(ingress.get("/auth/me", Some(&admin())).await.header("ratelimit-limit"), None, "administrators are no shop");
    ingress.stop().await;
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let document = frontdesk_ingress::openapi::document(&table());
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
                Value::String(target) if name == "$ref" => found.push(target.clone()),
                value => references(value, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for target in found {
        assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
    }
}

#[test]
fn the_generated_documents_are_fresh() {
    let docs = format!("{}/../docs", env!("CARGO_MANIFEST_DIR"));
    let document = frontdesk_ingress::openapi::document(&table());
    let openapi = serde_json::to_string_pretty(&document).unwrap() + "\n";
    let postman = serde_json::to_string_pretty(&frontdesk_ingress::postman::collection(&document)).unwrap() + "\n";
    let (access, problems) = (frontdesk_ingress::openapi::access(&table()), frontdesk_ingress::openapi::problems_table());
    for (name, text) in [("openapi.json", openapi), ("postman.json", postman), ("ACCESS.md", access), ("PROBLEMS.md", problems)] {
        let path = format!("{docs}/{name}");
        if std::env::vars_os().any(|(name, value)| name == "UPDATE_GENERATED" && value == "1") {
            std::fs::write(&path, &text).unwrap();
        }
        let standing = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(standing == text, "docs/{name} is stale: run `./dev gen`");
    }
}

#[tokio::test]
async fn google_is_connected_only_where_there_is_a_client() {
    let ingress = Ingress::start().await;
    let owner = staff(Role::Owner);
    let refused = ingress.get("/integrations/google/connect", Some(&owner)).await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (409, json!("google_not_configured")));
    ingress.stop().await;

    let ingress = Ingress::start_with(&[("GOOGLE_CLIENT_ID", "client-1"), ("PUBLIC_URL", "https://desk.example")]).await;
    let begun = ingress.get("/integrations/google/connect", Some(&owner)).await;
    let address = url::Url::parse(begun.json()["url"].as_str().unwrap()).unwrap();
    let asked =
        |name: &str| address.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default();
    assert_eq!(asked("redirect_uri"), "https://desk.example/integrations/google/callback");
    assert_eq!(
        (asked("access_type").as_str(), asked("prompt").as_str(), asked("code_challenge_method").as_str()),
        ("offline", "consent", "S256")
    );
    let cookie = begun.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__host-frontdesk-google=") && cookie.contains("httponly; samesite=lax; secure"), "{cookie}");
    // A navigation goes there at once.
    let bearer = format!("Bearer {owner}");
    let gone = ingress.send("GET", "/integrations/google/connect", &[("authorization", &bearer), ("accept", "text/html")], b"").await;
    assert_eq!(gone.status, 302);
    for callback in ["?code=c&state=s", "?error=access_denied", "", "?state="] {
        let answer = ingress.get(&format!("/integrations/google/callback{callback}"), None).await;
        assert_eq!(answer.status, 302, "{callback}");
        assert_eq!(answer.header("location").unwrap(), "https://desk.example/settings/integrations?google=google_state", "{callback}");
    }
    // The browser that began it, and the person said no.
    let state = asked("state");
    let cookie = format!("__Host-frontdesk-google={state}");
    let path = format!("/integrations/google/callback?error=access_denied&state={state}");
    let denied = ingress.send("GET", &path, &[("cookie", &cookie)], b"").await;
    assert!(denied.header("location").unwrap().ends_with("google=google_denied"), "{denied:?}");
    let again = ingress.send("GET", &path, &[("cookie", &cookie)], b"").await;
    assert!(again.header("location").unwrap().ends_with("google=google_state"), "used up: {again:?}");
    ingress.stop().await;
}

#[tokio::test]
async fn a_calendars_notification_is_believed_by_its_token_and_enqueued_once_a_moment() {
    let ingress = Ingress::start().await;
    // As a worker seals it: for this channel, of shop 3.
    let sealer = frontdesk_core::secrets::Sealer::new(&"t:bG9jYWwtb25seS1sb2NhbC1vbmx5LWxvY2FsLW9ubHk=".into()).unwrap();
    let token = |channel: &str| {
        let context = frontdesk_core::secrets::SealContext::google_watch(channel);
        sealer.seal(&"3".into(), &context).unwrap()
    };
    let (right, foreign) = (token("channel-1"), token("channel-2"));
    let notify = async |token: &str, state: &str| {
        let headers = [("x-goog-channel-id", "channel-1"), ("x-goog-channel-token", token), ("x-goog-resource-state", state)];
        ingress.send("POST", "/webhook/google", &headers, b"").await.status
    };
    let before = ingress.redis.command("DBSIZE").await;
    for wrong in ["", "token", foreign.as_str()] {
        assert_eq!(notify(wrong, "exists").await, 401, "{wrong}");
    }
    assert_eq!(notify(&right, "sync").await, 200);
    assert_eq!(ingress.redis.command("DBSIZE").await, before, "nothing has changed yet");
    assert_eq!(notify(&right, "exists").await, 200);
    assert_ne!(ingress.redis.command("DBSIZE").await, before);
    ingress.stop().await;
}
