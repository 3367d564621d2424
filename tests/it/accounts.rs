//! Accounts and teams: links by e-mail, passwords, sessions, colleagues.

use frontdesk_core::auth::Passwords;
use serde_json::{Value, json};
use system_tests::{ACCOUNTANT, Api, ORDER_MANAGER, OTHER_OWNER, OWNER, PATIENCE, TestStack, until};

/// What stands after the `#` of the latest link mailed to this address under this subject, once there are `count`.
async fn token(stack: &TestStack, email: &str, subject: &str, count: usize) -> String {
    let theirs = |mail: &frontdesk_sandbox::Mail| mail.envelope_to.iter().any(|to| to == email) && mail.subject.contains(subject);
    let mails = stack.sandbox.state().wait_for_mails(count, PATIENCE, theirs).await;
    assert!(mails.len() >= count, "{email} got {} mails with {subject}", mails.len());
    let text = &mails.last().unwrap().text;
    let link = text.split_whitespace().find(|word| word.starts_with("http://localhost:8080/")).unwrap();
    link.split_once('#').unwrap().1.to_owned()
}

async fn forgets(stack: &TestStack, email: &str) {
    assert_eq!(stack.nobody().post("/auth/forgot", &json!({"email": email}), 204).await.unwrap(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_by_a_link_that_works_once_and_ends_every_session() {
    let stack = TestStack::start().await.unwrap();
    let nobody = stack.nobody();
    let before = stack.log_in(OWNER).await.unwrap();
    let mut dashboard = before.dashboard("").await.unwrap();
    dashboard.hears().await.unwrap();
    // The same answer for who is not there, and a wrong address is said to be one.
    forgets(&stack, "nobody@example.com").await;
    nobody.post("/auth/forgot", &json!({"email": "no address"}), 422).await.unwrap();
    forgets(&stack, OWNER.0).await;
    let link = token(&stack, OWNER.0, "new password", 1).await;

    let short = nobody.post("/auth/reset", &json!({"token": link, "password": "short"}), 422).await.unwrap();
    assert_eq!(short["fields"][0]["field"], "password");
    for wrong in [format!("{link}x"), "v1.k.x".to_owned(), link.to_lowercase()] {
        let problem = nobody.post("/auth/reset", &json!({"token": wrong, "password": "a-new-password"}), 422).await.unwrap();
        assert_eq!(problem["fields"][0]["field"], "token");
    }
    nobody.post("/auth/confirm", &json!({"token": link}), 422).await.unwrap();
    nobody.post("/auth/reset", &json!({"token": link, "password": "a-new-password"}), 204).await.unwrap();
    let used = nobody.post("/auth/reset", &json!({"token": link, "password": "another-password"}), 422).await.unwrap();
    assert_eq!(used["fields"][0]["field"], "token");

    before.get("/auth/me", 401).await.unwrap();
    until("the open dashboard is closed", async || Ok(dashboard.frame().await?.is_err().then_some(()))).await.unwrap();
    assert!(stack.log_in(OWNER).await.is_err(), "the old password is over");
    let after = stack.log_in((OWNER.0, "a-new-password")).await.unwrap();
    let me = after.get("/auth/me", 200).await.unwrap();
    assert_eq!(me["email_confirmed"], true, "whoever uses the link reads the address: {me}");
    // Of the whole matter only what staff may know is in the audit.
    let audit = after.get("/audit?subject=user:1", 200).await.unwrap();
    assert_eq!(audit["items"][0]["action"], "reset_password");
    assert!(!audit.to_string().contains("$2"));
    let mails = stack.sandbox.state().mails();
    assert!(!mails.iter().any(|mail| mail.envelope_to.iter().any(|to| to == "nobody@example.com")));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_throttled_alike_whether_or_not_there_is_an_account() {
    let stack = TestStack::start().await.unwrap();
    for email in [OWNER.0, "nobody@example.com"] {
        for _ in 0..5 {
            forgets(&stack, email).await;
        }
        let problem = stack.nobody().post("/auth/forgot", &json!({"email": email}), 429).await.unwrap();
        assert_eq!(problem["code"], "too_many");
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_registers_is_asked_whether_the_address_is_theirs() {
    let stack = TestStack::start().await.unwrap();
    let shop = json!({"shop_name": "Kite & Co", "email": "Ada@Kite.example", "password": "kites-are-fun"});
    stack.nobody().post("/auth/register", &shop, 201).await.unwrap();
    let ada = stack.log_in(("ada@kite.example", "kites-are-fun")).await.unwrap();
    assert_eq!(ada.get("/auth/me", 200).await.unwrap()["email_confirmed"], false);
    let first = token(&stack, "ada@kite.example", "Confirm", 1).await;
    ada.post("/auth/confirm/send", &json!({}), 204).await.unwrap();
    token(&stack, "ada@kite.example", "Confirm", 2).await;
    stack.nobody().post("/auth/reset", &json!({"token": first, "password": "not-by-this-link"}), 422).await.unwrap();
    for _ in 0..2 {
        stack.nobody().post("/auth/confirm", &json!({"token": first}), 204).await.unwrap();
    }
    assert_eq!(ada.get("/auth/me", 200).await.unwrap()["email_confirmed"], true);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_old_password_sets_a_new_one() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let problem = owner.post("/auth/password", &change("wrong", "a-new-password"), 422).await.unwrap();
    assert_eq!(problem["fields"][0]["field"], "current_password");
    let problem = owner.post("/auth/password", &change(OWNER.1, "short"), 422).await.unwrap();
    assert_eq!(problem["fields"][0]["field"], "new_password");
    stack.nobody().post("/auth/password", &change(OWNER.1, "a-new-password"), 401).await.unwrap();
    owner.post("/auth/password", &change(OWNER.1, "a-new-password"), 204).await.unwrap();
    owner.get("/auth/me", 401).await.unwrap();
    // At once, in the same second: the new session is not over as it begins.
    let again = stack.log_in((OWNER.0, "a-new-password")).await.unwrap();
    again.get("/auth/me", 200).await.unwrap();
    // A link that was mailed for the old password is worth nothing.
    forgets(&stack, OWNER.0).await;
    let link = token(&stack, OWNER.0, "new password", 1).await;
    again.post("/auth/password", &change("a-new-password", "the-third-password"), 204).await.unwrap();
    stack.nobody().post("/auth/reset", &json!({"token": link, "password": "by-the-old-link"}), 422).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended_by_their_own_account() {
    let stack = TestStack::start().await.unwrap();
    let (first, second, manager) =
        (stack.log_in(OWNER).await.unwrap(), stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let listed = async |api: &Api<'_>| api.get("/auth/sessions", 200).await.unwrap()["items"].as_array().unwrap().clone();
    let sessions = listed(&first).await;
    assert_eq!((sessions.len(), listed(&manager).await.len()), (2, 1));
    assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    manager.delete(&format!("/auth/sessions/{other}"), 404).await.unwrap();
    first.delete("/auth/sessions/nonsense", 404).await.unwrap();
    first.delete(&format!("/auth/sessions/{other}"), 204).await.unwrap();
    second.get("/auth/me", 401).await.unwrap();
    assert_eq!(listed(&first).await.len(), 1);
    first.delete(&format!("/auth/sessions/{other}"), 404).await.unwrap();
    let third = stack.log_in(OWNER).await.unwrap();
    third.delete("/auth/sessions", 204).await.unwrap();
    for ended in [&first, &third] {
        ended.get("/auth/me", 401).await.unwrap();
    }
    manager.get("/auth/me", 200).await.unwrap();
    let anew = stack.log_in(OWNER).await.unwrap();
    assert_eq!(listed(&anew).await.len(), 1, "those that were ended are not listed");
    anew.post("/auth/logout", &json!({}), 204).await.unwrap();
    anew.get("/auth/sessions", 401).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_are_invited_change_roles_and_leave() {
    let stack = TestStack::start().await.unwrap();
    let (owner, other, manager) =
        (stack.log_in(OWNER).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let invitation = json!({"email": "Lea@northwind.example", "name": "Lea", "role": "order_manager"});
    let problem = other.post("/team", &invitation, 402).await.unwrap();
    assert_eq!(problem["code"], "plan_team");
    manager.post("/team", &invitation, 403).await.unwrap();
    manager.get("/team", 403).await.unwrap();
    for wrong in [json!({"email": "x", "role": "owner"}), json!({"email": "a@b.example", "role": "boss"})] {
        owner.post("/team", &wrong, 422).await.unwrap();
    }
    for taken in [OWNER.0, OTHER_OWNER.0] {
        let problem = owner.post("/team", &json!({"email": taken, "role": "owner"}), 409).await.unwrap();
        assert_eq!(problem["code"], "email_taken");
    }
    let lea = owner.post_with_key("/team", "invite-1", &invitation, 201).await.unwrap();
    assert_eq!(owner.post_with_key("/team", "invite-1", &invitation, 201).await.unwrap(), lea);
    assert_eq!((&lea["email"], &lea["invited"], &lea["active"]), (&json!("lea@northwind.example"), &json!(true), &json!(true)));
    let first = token(&stack, "lea@northwind.example", "Join Northwind", 1).await;
    // Lost: the owner invites her again; the older link is for a password that is gone.
    assert_eq!(owner.post("/team", &invitation, 201).await.unwrap()["id"], lea["id"]);
    let second = token(&stack, "lea@northwind.example", "Join Northwind", 2).await;
    let join = |token: &str| json!({"token": token, "password": "lea-chooses-this"});
    stack.nobody().post("/auth/reset", &join(&first), 422).await.unwrap();
    stack.nobody().post("/auth/reset", &join(&second), 204).await.unwrap();
    let me = stack.log_in(("lea@northwind.example", "lea-chooses-this")).await.unwrap();
    assert_eq!(me.get("/auth/me", 200).await.unwrap()["role"], "order_manager");
    let path = format!("/team/{}", lea["id"]);
    assert_eq!(owner.post("/team", &invitation, 409).await.unwrap()["code"], "email_taken", "she has joined");

    for (api, expected) in [(&other, 404), (&me, 403)] {
        api.patch(&path, &json!({"role": "owner"}), expected).await.unwrap();
        api.delete(&path, expected).await.unwrap();
    }
    owner.patch("/team/999999", &json!({"role": "owner"}), 404).await.unwrap();
    stack.count("SELECT count(*) FROM users").await.unwrap();
    assert_eq!(owner.patch(&path, &json!({"role": "accountant"}), 200).await.unwrap()["role"], "accountant");
    me.get("/auth/me", 401).await.unwrap();
    let me = stack.log_in(("lea@northwind.example", "lea-chooses-this")).await.unwrap();
    me.get("/orders/summary", 200).await.unwrap();

    owner.delete(&path, 204).await.unwrap();
    me.get("/auth/me", 401).await.unwrap();
    assert!(stack.log_in(("lea@northwind.example", "lea-chooses-this")).await.is_err());
    forgets(&stack, "lea@northwind.example").await;
    owner.delete(&path, 404).await.unwrap();
    let team = owner.get("/team", 200).await.unwrap();
    let row = team["items"].as_array().unwrap().iter().find(|row| row["id"] == lea["id"]).unwrap().clone();
    assert_eq!(row["active"], false);
    // She comes back as she is invited now.
    owner.post("/team", &json!({"email": "lea@northwind.example", "role": "owner"}), 201).await.unwrap();
    let third = token(&stack, "lea@northwind.example", "Join Northwind", 3).await;
    stack.nobody().post("/auth/reset", &join(&third), 204).await.unwrap();
    stack.log_in(("lea@northwind.example", "lea-chooses-this")).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_keeps_an_owner_even_if_two_remove_each_other_at_once() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let id = async |email: &str| stack.count(&format!("SELECT id::bigint FROM users WHERE email = '{email}'")).await.unwrap();
    let (own, books) = (format!("/team/{}", id(OWNER.0).await), format!("/team/{}", id(ACCOUNTANT.0).await));
    assert_eq!(owner.delete(&own, 409).await.unwrap()["code"], "last_owner");
    assert_eq!(owner.patch(&own, &json!({"role": "accountant"}), 409).await.unwrap()["code"], "last_owner");
    owner.patch(&own, &json!({"role": "owner"}), 200).await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    owner.patch(&books, &json!({"role": "owner"}), 200).await.unwrap();
    let partner = stack.log_in(ACCOUNTANT).await.unwrap();
    // Whichever is first ends the other's session, or finds itself the last: in any case one owner is left.
    let _ = tokio::join!(owner.delete(&books, 204), partner.delete(&own, 204));
    let left =
        "SELECT count(*) FROM users u JOIN shops s ON s.id = u.shop_id WHERE u.role = 'owner' AND u.active AND u.email LIKE '%northwind%'";
    assert_eq!(stack.count(left).await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_replaced_and_never_overwritten_unseen() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager, other) =
        (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    manager.get("/shop", 403).await.unwrap();
    let shop = owner.get("/shop", 200).await.unwrap();
    let mut wanted = json!({
        "version": shop["version"], "name": "Northwind Kicks", "kind": "product", "timezone": "Europe/Lisbon", "currency": shop["currency"],
        "locale": "pt-PT", "agent_name": "Ada", "agent_instructions": "Be brief.", "about": "Rua 1", "pause_minutes": 90,
        "hours": {"mon": ["09:00-12:30", "14:00-18:00"], "sat": ["10:00-24:00"]}, "handoff_mode": "intent", "handoff_words": ["gerente"],
        "handoff_email": "Desk@northwind.example", "handoff_whatsapp": "+351 912 345 678", "texts": {"inactive": {"pt": "Voltamos já."}}, "daily_model_budget": "7.50",
    });
    let saved = owner.put("/shop", &wanted, 200).await.unwrap();
    for (field, value) in [
        ("name", json!("Northwind Kicks")),
        ("timezone", json!("Europe/Lisbon")),
        ("pause_minutes", json!(90)),
        ("handoff_email", json!("desk@northwind.example")),
        ("handoff_whatsapp", json!("351912345678")),
        ("daily_model_budget", json!("7.50")),
        ("texts", json!({"inactive": {"pt": "Voltamos já."}})),
        ("reminder_minutes", json!([1440, 60])),
        ("reminder_template", json!(null)),
    ] {
        assert_eq!(saved[field], value, "{field}");
    }
    assert_eq!(saved["hours"]["mon"], json!(["09:00-12:30", "14:00-18:00"]));
    assert_eq!(owner.get("/shop", 200).await.unwrap(), saved);
    // Made from what was read before: told, not overwritten.
    assert_eq!(owner.put("/shop", &wanted, 409).await.unwrap()["code"], "changed_meanwhile");
    wanted["version"] = saved["version"].clone();
    wanted["currency"] = json!("JPY");
    assert_eq!(owner.put("/shop", &wanted, 409).await.unwrap()["code"], "currency_in_use");
    for (field, value, named) in [
        ("timezone", json!("Mars/Olympus"), "timezone"),
        ("hours", json!({"mon": ["18:00-09:00"]}), "hours.mon"),
        ("hours", json!({"mon": ["09:00-12:00", "11:00-13:00"]}), "hours.mon"),
        ("hours", json!({"moon": []}), "hours.moon"),
        ("handoff_words", json!(["x"]), "handoff_words[0]"),
        ("texts", json!({"handoff": {"de": ""}}), "texts.handoff.de"),
        ("texts", json!({"handoff": {"de": "ü".repeat(501)}}), "texts.handoff.de"),
        ("texts", json!({"handoff": {"xx": "?"}}), "texts.handoff.xx"),
        ("texts", json!({"greeting": {"de": "Hallo"}}), "texts.greeting"),
        ("daily_model_budget", json!("0.50"), "daily_model_budget"),
        ("daily_model_budget", json!(5), "daily_model_budget"),
        ("pause_minutes", json!(0), "pause_minutes"),
        ("reminder_minutes", json!([14]), "reminder_minutes[0]"),
        ("reminder_minutes", json!([60, 60]), "reminder_minutes[1]"),
        ("reminder_minutes", json!([60, 120, 180, 240]), "reminder_minutes"),
        ("reminder_template", json!("Not a name"), "reminder_template"),
        ("surprise", json!(1), "surprise"),
    ] {
        let mut body = wanted.clone();
        body[field] = value;
        assert_eq!(owner.put("/shop", &body, 422).await.unwrap()["fields"][0]["field"], named);
    }
    manager.put("/shop", &wanted, 403).await.unwrap();
    assert_ne!(other.get("/shop", 200).await.unwrap()["name"], saved["name"]);

    let changes = owner.get("/audit?limit=1", 200).await.unwrap();
    assert_eq!((&changes["items"][0]["action"], &changes["items"][0]["subject"]), (&json!("update"), &json!("shop")));
    assert!(changes["items"][0]["actor"].as_str().unwrap().starts_with("user:"));
    manager.get("/audit", 403).await.unwrap();
    assert!(!other.get("/audit", 200).await.unwrap().to_string().contains("Kicks"));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn administration_sees_shops_and_raw_events_page_by_page() {
    let stack = TestStack::start().await.unwrap();
    let hash = Passwords::with_cost(4).unwrap().hash("the-admin-password".to_owned().into()).await.unwrap();
    let look = stack.database.look().await.unwrap();
    look.execute("INSERT INTO admins (email, password_hash) VALUES ('root@frontdesk.example', $1)", &[&hash]).await.unwrap();
    let admin = stack.log_in(("root@frontdesk.example", "the-admin-password")).await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    for path in ["/admin/shops", "/admin/logs", "/admin/schedule"] {
        owner.get(path, 403).await.unwrap();
        stack.nobody().get(path, 401).await.unwrap();
    }
    until("the leader has published the schedule", async || {
        let schedule = admin.get("/admin/schedule", 200).await?;
        let sweep = schedule["items"].as_array().into_iter().flatten().find(|item| item["job"] == "sweep_queues").cloned();
        let told = sweep.is_some_and(|sweep| sweep["timezone"] == "UTC" && sweep["next_fire_at"].is_string());
        Ok((told && schedule["leader"]["since"].is_string()).then_some(()))
    })
    .await
    .unwrap();
    let shops = admin.get("/admin/shops?limit=1", 200).await.unwrap();
    let next = shops["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("/admin/shops?cursor={next}"), 200).await.unwrap();
    assert_ne!(shops["items"][0]["id"], second["items"][0]["id"]);

    let customer = stack.customer(system_tests::WHATSAPP, "491740000001");
    for text in ["hello", "do you have red sneakers in 42?"] {
        customer.says(text).unwrap();
        customer.hears_answer().await.unwrap();
    }
    stack.quiet().await.unwrap();
    let mut seen = Vec::new();
    let mut path = "/admin/logs?limit=2".to_owned();
    loop {
        let page = admin.get(&path, 200).await.unwrap();
        seen.extend(page["items"].as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/admin/logs?limit=2&cursor={next}");
    }
    let unique: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "each once");
    // Delivery states go on coming in meanwhile.
    let there = format!("SELECT count(*) FROM logs WHERE id <= {}", seen.iter().max().unwrap());
    assert_eq!(i64::try_from(seen.len()).unwrap(), stack.count(&there).await.unwrap());
    let of_kind = admin.get("/admin/logs?direction=in&platform=whatsapp&kind=message", 200).await.unwrap();
    assert_eq!(of_kind["items"].as_array().unwrap().len(), 2, "{of_kind}");
    assert_eq!(admin.get("/admin/logs?shop_id=999999", 200).await.unwrap()["items"], json!([]));
    assert_eq!(admin.get("/admin/logs?platform=instagram", 200).await.unwrap()["items"], json!([]));
    for wrong in ["from=yesterday", "platform=fax", "cursor=x", "shop_id=0"] {
        admin.get(&format!("/admin/logs?{wrong}"), 422).await.unwrap();
    }
    stack.stop().await.unwrap();
}
