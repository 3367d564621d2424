//! A shop that sells its time: what it offers, who does it, when they are free, and appointments as its staff make them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use frontdesk_core::clock::{Clock as _, SystemClock};
use futures_util::future::join_all;
use serde_json::{Value, json};
use system_tests::{ACCOUNTANT, Api, ORDER_MANAGER, OTHER_OWNER, OWNER, TestStack};

/// The sample service shop's zone.
const PARIS: Tz = Tz::Europe__Paris;

/// Open at any time of any day.
fn always() -> Value {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), json!(["00:00-24:00"])));
    Value::Object(days.into_iter().collect())
}

fn at(day: NaiveDate, hour: u32) -> DateTime<Utc> {
    PARIS.from_local_datetime(&day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap())).unwrap().to_utc()
}

fn offset(at: DateTime<Utc>) -> i32 {
    at.with_timezone(&PARIS).offset().fix().local_minus_utc()
}

/// Somebody who always works, and what they do; their ids.
async fn offered(owner: &Api<'_>, name: &str) -> (i64, i64) {
    let staff = owner.post("/staff", &json!({"name": name, "hours": always()}), 201).await.unwrap();
    let service = json!({"name": format!("Massage by {name}"), "duration_minutes": 60, "buffer_after_minutes": 15, "price": "80.00",
        "lead_minutes": 0, "horizon_days": 400, "staff_ids": [staff["id"]]});
    let service = owner.post("/services", &service, 201).await.unwrap();
    (staff["id"].as_i64().unwrap(), service["id"].as_i64().unwrap())
}

fn starts(found: &Value) -> Vec<&str> {
    found["items"].as_array().unwrap().iter().map(|item| item["starts_at"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_is_booked_moved_across_a_change_of_the_clock_and_cancelled() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let (staff, service) = offered(&owner, "Zoé").await;
    let today = SystemClock.now().with_timezone(&PARIS).date_naive() + Days::new(2);
    let change = today.iter_days().find(|day| offset(at(*day, 12)) != offset(at(*day + Days::new(1), 12))).unwrap() + Days::new(1);
    let (before, after) = (change - Days::new(1), change);

    let free = owner.get(&format!("/appointments/available?service={service}&from={before}&days=2"), 200).await.unwrap();
    assert_eq!((&free["timezone"], &free["checked"]["elsewhere"]), (&json!("Europe/Paris"), &json!(false)));
    let (ten, then) = (at(before, 10), at(after, 10));
    assert_ne!(then - ten, TimeDelta::hours(24), "the clock is changed in between");
    let wire = |at: DateTime<Utc>| serde_json::to_value(at).unwrap();
    for time in [ten, then] {
        assert!(
            free["items"].as_array().unwrap().iter().any(|slot| slot["starts_at"] == wire(time) && slot["staff"][0]["id"] == staff),
            "{time}"
        );
    }

    let mut live = owner.dashboard("").await.unwrap();
    let body = json!({"service_id": service, "starts_at": ten.with_timezone(&PARIS).to_rfc3339(), "customer_name": "Anna Keller", "contact": "+49151"});
    let made = owner.post_with_key("/appointments", "book-1", &body, 201).await.unwrap();
    assert_eq!(
        (&made["starts_at"], &made["price"], &made["state"], &made["staff_id"]),
        (&wire(ten), &json!("80.00"), &json!("booked"), &json!(staff))
    );
    assert_eq!(owner.post_with_key("/appointments", "book-1", &body, 201).await.unwrap(), made, "the same key books nothing twice");
    let id = made["id"].as_i64().unwrap();
    loop {
        let event = live.hears().await.unwrap();
        if event["kind"] == "appointment" {
            assert_eq!((&event["data"]["id"], &event["data"]["action"]), (&json!(id), &json!("booked")));
            break;
        }
    }
    let free = owner.get(&format!("/appointments/available?service={service}&from={before}&days=1"), 200).await.unwrap();
    assert!(
        !starts(&free).contains(&wire(ten).as_str().unwrap()) && !starts(&free).contains(&wire(at(before, 11)).as_str().unwrap()),
        "with its buffer"
    );

    let moved = owner.post("/appointments", &json!({"action": "move", "id": id, "starts_at": then}), 200).await.unwrap();
    assert_eq!((&moved["id"], &moved["starts_at"], &moved["ends_at"]), (&json!(id), &wire(then), &wire(then + TimeDelta::hours(1))));
    let on = async |day: NaiveDate| {
        owner.get(&format!("/appointments?from={day}&to={day}&staff_id={staff}"), 200).await.unwrap()["items"].as_array().unwrap().len()
    };
    assert_eq!((on(before).await, on(after).await), (0, 1));

    let cancelled = owner.post("/appointments", &json!({"action": "cancel", "id": id}), 200).await.unwrap();
    assert_eq!(cancelled["state"], "cancelled");
    let problem = owner.post("/appointments", &json!({"action": "move", "id": id, "starts_at": ten}), 409).await.unwrap();
    assert_eq!(problem["code"], "appointment_state");
    let one = owner.get(&format!("/appointments/{id}"), 200).await.unwrap();
    let history: Vec<_> = one["history"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(history, ["booked", "moved", "cancelled"]);
    assert_eq!((&one["history"][1]["from_starts_at"], &one["history"][1]["to_starts_at"]), (&wire(ten), &wire(then)));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_book_one_time_one_has_it_and_the_others_hear_what_is_free() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let (staff, service) = offered(&owner, "Zoé").await;
    let ten = at(SystemClock.now().with_timezone(&PARIS).date_naive() + Days::new(7), 10);
    let bodies: Vec<_> =
        (0..20).map(|n| json!({"service_id": service, "starts_at": ten, "customer_name": format!("Customer {n}")})).collect();
    let (url, token) = (format!("{}/appointments", stack.base_url), owner.token.clone());
    let answers = join_all(bodies.iter().map(async |body| {
        let answer = stack.http.post(&url).bearer_auth(&token).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    }))
    .await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1);
    for (_, problem) in answers.iter().filter(|(status, _)| *status != 201) {
        assert_eq!(problem["code"], "slot_taken");
        assert_eq!(problem["slots"][0]["staff_id"], staff);
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn services_staff_and_closures_are_kept_by_the_owner() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let seeded = owner.get("/services?limit=2", 200).await.unwrap();
    assert_eq!(seeded["items"].as_array().unwrap().len(), 2);
    let rest = owner.get(&format!("/services?cursor={}", seeded["next_cursor"].as_str().unwrap()), 200).await.unwrap();
    assert_eq!(rest["items"].as_array().unwrap().len(), 4);
    assert!(!owner.get("/closures", 200).await.unwrap()["items"].as_array().unwrap().is_empty());

    let (staff, service) = offered(&owner, "Zoé").await;
    assert_eq!(owner.post("/staff", &json!({"name": "zoé"}), 409).await.unwrap()["code"], "name_taken");
    let again = json!({"name": "Massage by Zoé", "duration_minutes": 30, "price": "1.00"});
    assert_eq!(owner.post("/services", &again, 409).await.unwrap()["code"], "name_taken");
    let changed = json!({"id": service, "name": "Massage", "duration_minutes": 30, "price": "45.00", "staff_ids": [staff]});
    assert_eq!(owner.post("/services", &changed, 200).await.unwrap()["duration_minutes"], 30);
    assert_eq!(owner.get(&format!("/services/{service}"), 200).await.unwrap()["name"], "Massage");
    let problem =
        owner.post("/services", &json!({"name": "x", "duration_minutes": 1, "price": 5, "staff_ids": [staff, staff]}), 422).await.unwrap();
    let fields: Vec<_> = problem["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["duration_minutes", "price", "staff_ids[1]"]);
    let strange = json!({"name": "x", "duration_minutes": 30, "price": "5.00", "staff_ids": [staff, 999_999]});
    assert_eq!(owner.post("/services", &strange, 422).await.unwrap()["fields"][0]["field"], "staff_ids[1]");
    let late = json!({"name": "Late", "hours": {"mon": ["18:00-09:00"]}});
    assert_eq!(owner.post("/staff", &late, 422).await.unwrap()["fields"][0]["field"], "hours.mon");

    // A closure takes the day away, and gives it back.
    let day = SystemClock.now().with_timezone(&PARIS).date_naive() + Days::new(8);
    let look = format!("/appointments/available?service={service}&from={day}&days=1");
    assert!(!starts(&owner.get(&look, 200).await.unwrap()).is_empty());
    let closure = json!({"staff_id": staff, "from_day": day, "note": "Away"});
    let closure = owner.post_with_key("/closures", "away", &closure, 201).await.unwrap();
    assert_eq!(closure["to_day"], json!(day));
    assert!(starts(&owner.get(&look, 200).await.unwrap()).is_empty());
    let body = json!({"service_id": service, "starts_at": at(day, 10), "customer_name": "Anna"});
    let problem = owner.post("/appointments", &body, 409).await.unwrap();
    assert_eq!(problem["code"], "closed");
    let mut anyway = body.clone();
    anyway["anyway"] = json!(true);
    let made = owner.post("/appointments", &anyway, 201).await.unwrap();
    assert_eq!(owner.delete(&format!("/staff/{staff}"), 409).await.unwrap()["code"], "staff_booked");
    owner.post("/appointments", &json!({"action": "cancel", "id": made["id"]}), 200).await.unwrap();
    owner.delete(&format!("/closures/{}", closure["id"]), 204).await.unwrap();
    owner.delete(&format!("/closures/{}", closure["id"]), 404).await.unwrap();
    assert!(!starts(&owner.get(&look, 200).await.unwrap()).is_empty());
    for bad in [json!({"from_day": "2026-12-26", "to_day": "2026-12-24"}), json!({"from_day": day, "to_day": "2026-01-01"})] {
        assert_eq!(owner.post("/closures", &bad, 422).await.unwrap()["fields"][0]["field"], "to_day");
    }
    let bad = json!({"from_day": "tomorrow", "span": "25:00-26:00"});
    assert_eq!(owner.post("/closures", &bad, 422).await.unwrap()["fields"].as_array().unwrap().len(), 2);

    owner.delete(&format!("/services/{service}"), 204).await.unwrap();
    owner.get(&look, 422).await.unwrap();
    owner.post("/appointments", &body, 422).await.unwrap();
    owner.delete(&format!("/staff/{staff}"), 204).await.unwrap();
    assert_eq!(owner.get("/staff?archived=true", 200).await.unwrap()["items"][0]["id"], staff);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_named_and_roles_and_shops_are_kept_apart() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let (staff, service) = offered(&owner, "Max").await;
    let day = SystemClock.now().with_timezone(&PARIS).date_naive() + Days::new(7);
    let body = json!({"service_id": service, "starts_at": at(day, 10), "customer_name": "Anna"});
    let named = async |body: &Value| {
        let problem = owner.post("/appointments", body, 422).await.unwrap();
        problem["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named(&json!({})).await, ["service_id", "starts_at", "customer_name"]);
    assert_eq!(named(&json!({"action": "move", "id": 0})).await, ["id", "starts_at"]);
    assert_eq!(named(&json!({"action": "explode"})).await, ["action", "service_id", "starts_at", "customer_name"]);
    assert_eq!(named(&json!({"service_id": service, "starts_at": "2026-11-30T10:00", "customer_name": "A"})).await, ["starts_at"]);
    assert_eq!(named(&json!({"service_id": service, "starts_at": at(day, 10), "customer_name": "A", "id": 1})).await, ["id"]);
    assert_eq!(
        named(&json!({"service_id": service, "staff_id": 999_999, "starts_at": at(day, 10), "customer_name": "A"})).await,
        ["staff_id"]
    );
    assert_eq!(
        named(&json!({"service_id": service, "customer_id": 999_999, "starts_at": at(day, 10), "customer_name": "A"})).await,
        ["customer_id"]
    );
    for query in ["service=x", "", "service=1&days=63", "service=1&from=soon", "service=1&limit=0", "service=999999"] {
        owner.get(&format!("/appointments/available?{query}"), 422).await.unwrap();
    }
    owner.get("/appointments?state=gone&from=2026-11-30&to=2026-11-01", 422).await.unwrap();

    let manager = stack.log_in(ORDER_MANAGER).await.unwrap();
    let made = manager.post("/appointments", &body, 201).await.unwrap();
    let (id, path) = (made["id"].as_i64().unwrap(), format!("/appointments/{}", made["id"]));
    manager.get(&path, 200).await.unwrap();
    manager.get("/services", 200).await.unwrap();
    manager.post("/services", &json!({"name": "x", "duration_minutes": 30, "price": "1.00"}), 403).await.unwrap();
    manager.post("/staff", &json!({"name": "x"}), 403).await.unwrap();
    manager.post("/closures", &json!({"from_day": day}), 403).await.unwrap();
    for path in [format!("/services/{service}"), format!("/staff/{staff}"), "/closures/1".to_owned()] {
        manager.delete(&path, 403).await.unwrap();
    }
    let books = stack.log_in(ACCOUNTANT).await.unwrap();
    for path in ["/appointments", "/services", "/staff", "/closures", &path, &format!("/appointments/available?service={service}")] {
        books.get(path, 403).await.unwrap();
        stack.nobody().get(path, 401).await.unwrap();
    }
    books.post("/appointments", &body, 403).await.unwrap();

    let other = stack.log_in(OTHER_OWNER).await.unwrap();
    for path in [&path, &format!("/services/{service}")] {
        other.get(path, 404).await.unwrap();
    }
    for action in ["cancel", "done", "no_show"] {
        other.post("/appointments", &json!({"action": action, "id": id}), 404).await.unwrap();
    }
    other.post("/appointments", &json!({"action": "move", "id": id, "starts_at": at(day, 12)}), 404).await.unwrap();
    other.post("/appointments", &body, 422).await.unwrap();
    for path in [format!("/services/{service}"), format!("/staff/{staff}")] {
        other.delete(&path, 404).await.unwrap();
    }
    other.post("/services", &json!({"id": service, "name": "x", "duration_minutes": 30, "price": "1.00"}), 404).await.unwrap();
    other.post("/staff", &json!({"id": staff, "name": "x"}), 404).await.unwrap();
    assert_eq!(owner.get(&path, 200).await.unwrap()["state"], "booked");
    let done = owner.post_with_key("/appointments", "done-1", &json!({"action": "done", "id": id}), 200).await.unwrap();
    assert_eq!(owner.post_with_key("/appointments", "done-1", &json!({"action": "done", "id": id}), 200).await.unwrap(), done);
    let reused = owner.post_with_key("/appointments", "done-1", &json!({"action": "cancel", "id": id}), 409).await.unwrap();
    assert_eq!(reused["code"], "idempotency_key_reused");
    stack.stop().await.unwrap();
}
