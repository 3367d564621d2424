//! A shop's Google calendar: connected in a browser, appointments in it once each, changes there taken over, and nothing offered while it cannot be read.

use anyhow::Context as _;
use chrono::{DateTime, Days, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use frontdesk_core::clock::{Clock as _, SystemClock};
use frontdesk_sandbox::faults::{GoogleFailure, GoogleFaults};
use frontdesk_workers::crash::Point;
use serde_json::{Value, json};
use system_tests::redis::free_port;
use system_tests::{Api, ORDER_MANAGER, OTHER_OWNER, OWNER, PATIENCE, Plan, SERVICE_WHATSAPP, TestStack, buttons, until};
use url::Url;

/// The sample service shop's owner at Google; the id of their calendar.
const ACCOUNT: &str = "elodie@gmail.example";
const PARIS: Tz = Tz::Europe__Paris;

/// Ten o'clock in Paris, some days from now.
fn ten(days: u64) -> DateTime<Utc> {
    let day = SystemClock.now().with_timezone(&PARIS).date_naive() + Days::new(days);
    PARIS.from_local_datetime(&day.and_time(NaiveTime::from_hms_opt(10, 0, 0).unwrap())).unwrap().to_utc()
}

/// Begins a connecting, and says yes on the consent screen to these scopes; where Google sends the browser back to, and the browser's cookie.
async fn consent(stack: &TestStack, owner: &Api<'_>, granted: impl Fn(&str) -> bool) -> anyhow::Result<(Url, String)> {
    let http = frontdesk_workers::clients::http_client()?;
    let begun = http.get(format!("{}/integrations/google/connect", stack.base_url)).bearer_auth(&owner.token).send().await?;
    let cookie = begun.headers().get("set-cookie").context("no cookie")?.to_str()?.split(';').next().unwrap_or_default().to_owned();
    let screen = Url::parse(begun.json::<Value>().await?["url"].as_str().context("no address")?)?;
    let mut form: Vec<(String, String)> = screen.query_pairs().into_owned().collect();
    let scopes = form.iter().find(|(name, _)| name == "scope").context("no scopes")?.1.clone();
    form.extend(scopes.split(' ').filter(|scope| granted(scope)).map(|scope| ("granted".to_owned(), scope.to_owned())));
    form.extend([("decision".to_owned(), "allow".to_owned()), ("account".to_owned(), ACCOUNT.to_owned())]);
    let mut address = screen;
    address.set_query(None);
    let back = http.post(address).form(&form).send().await?;
    Ok((Url::parse(back.headers().get("location").context("no way back")?.to_str()?)?, cookie))
}

/// The browser comes back; the word for how it ended.
async fn come_back(stack: &TestStack, back: &Url, cookie: &str) -> anyhow::Result<String> {
    let http = frontdesk_workers::clients::http_client()?;
    let address = format!("{}{}?{}", stack.base_url, back.path(), back.query().unwrap_or_default());
    let ended = http.get(address).header("cookie", cookie).send().await?;
    let to = ended.headers().get("location").context("the browser goes on nowhere")?.to_str()?;
    Ok(to.split_once("?google=").context("no outcome")?.1.to_owned())
}

/// Everything, running; calendars are looked at when a story says so, and not by the clock.
async fn stack(workers: usize) -> TestStack {
    let stack = TestStack::planned(Plan { workers, ..Plan::default().with("SCHEDULE_PULL_CALENDAR", "0 0 0 1 1 *") }).await.unwrap();
    // The sample's own appointments would be in the calendar, too.
    stack.database.look().await.unwrap().batch_execute("DELETE FROM appointment_events; DELETE FROM appointments").await.unwrap();
    stack
}

/// Connects the account, and waits until its calendar was looked at.
async fn connect(stack: &TestStack, owner: &Api<'_>) {
    let (back, cookie) = consent(stack, owner, |_| true).await.unwrap();
    assert_eq!(come_back(stack, &back, &cookie).await.unwrap(), "connected");
    until("the calendar was looked at", async || Ok((!looked_at(owner).await?.is_null()).then_some(()))).await.unwrap();
}

async fn looked_at(owner: &Api<'_>) -> anyhow::Result<Value> {
    Ok(owner.get("/integrations/google", 200).await?["last_sync_at"].take())
}

/// Has a calendar looked at, and waits until that is done.
async fn look_at(owner: &Api<'_>, picked: &Value) {
    let before = looked_at(owner).await.unwrap();
    owner.put("/integrations/google", picked, 200).await.unwrap();
    until("the calendar was looked at", async || Ok((looked_at(owner).await? != before).then_some(()))).await.unwrap();
}

async fn look(owner: &Api<'_>) {
    look_at(owner, &json!({"calendar_id": ACCOUNT})).await;
}

/// A service that is offered at any time; its id.
async fn offered(owner: &Api<'_>) -> i64 {
    // The sample shop is closed on holidays, which may be any of the days of a story.
    for closure in owner.get("/closures", 200).await.unwrap()["items"].as_array().unwrap() {
        owner.delete(&format!("/closures/{}", closure["id"]), 204).await.unwrap();
    }
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), json!(["00:00-24:00"])));
    let hours = Value::Object(days.into_iter().collect());
    let staff = owner.post("/staff", &json!({"name": "Zoé", "hours": hours}), 201).await.unwrap();
    let service = json!({"name": "Massage", "duration_minutes": 60, "price": "80.00", "lead_minutes": 0, "horizon_days": 400, "staff_ids": [staff["id"]]});
    owner.post("/services", &service, 201).await.unwrap()["id"].as_i64().unwrap()
}

fn booking(service: i64, at: DateTime<Utc>) -> Value {
    json!({"service_id": service, "starts_at": at, "customer_name": "Anna Keller"})
}

/// A booking for which no calendar is asked.
fn booking_anyway(service: i64, at: DateTime<Utc>) -> Value {
    let mut body = booking(service, at);
    body["anyway"] = json!(true);
    body
}

/// Every event that a calendar ever had.
fn all_events(stack: &TestStack, calendar: &str) -> Vec<Value> {
    stack.sandbox.state().google_events(calendar).unwrap_or_default()
}

/// Those that were not deleted.
fn events_of(stack: &TestStack, calendar: &str) -> Vec<Value> {
    all_events(stack, calendar).into_iter().filter(|event| event["status"] != "cancelled").collect()
}

fn events(stack: &TestStack) -> Vec<Value> {
    events_of(stack, ACCOUNT)
}

fn begins(event: &Value) -> DateTime<Utc> {
    event["start"]["dateTime"].as_str().unwrap().parse().unwrap()
}

/// How often something stands in the calendar at this time.
fn standing_at(stack: &TestStack, at: DateTime<Utc>) -> usize {
    events(stack).iter().filter(|event| begins(event) == at).count()
}

async fn appointment(owner: &Api<'_>, id: &Value) -> anyhow::Result<Value> {
    owner.get(&format!("/appointments/{id}"), 200).await
}

async fn synced(stack: &TestStack) {
    let waiting = "SELECT count(*) FROM appointments a JOIN integrations i USING (shop_id) WHERE a.sync_state = 'pending' \
         OR (a.state = 'booked' AND a.ends_at > now() AND a.sync_state <> 'synced')";
    until("everything stands at Google", async || Ok((stack.count(waiting).await? == 0).then_some(()))).await.unwrap();
}

/// Asks Redis something about the queue of jobs that write to Google.
async fn queue<T: redis::FromRedisValue>(stack: &TestStack, ask: &[&str]) -> T {
    let mut redis = redis::Client::open(stack.redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(ask[0]);
    command.arg(format!("fd:{{sync_appointment}}:{}", ask[1]));
    for more in &ask[2..] {
        command.arg(more);
    }
    command.query_async(&mut redis).await.unwrap()
}

/// Waits until no job is left that writes to Google: none in the outbox, none ready, running or delayed.
async fn all_written(stack: &TestStack) {
    until("no job is left", async || {
        let outbox = stack.count("SELECT count(*) FROM outbox WHERE queue = 'sync_appointment'").await?;
        let delayed: i64 = queue(stack, &["ZCARD", "delayed"]).await;
        let at_work: Vec<Option<i64>> = queue(stack, &["HMGET", "count", "ready", "running"]).await;
        Ok((outbox + delayed + at_work.into_iter().flatten().sum::<i64>() == 0).then_some(()))
    })
    .await
    .unwrap();
    let dead: i64 = queue(stack, &["ZCARD", "dead"]).await;
    assert_eq!(dead, 0, "no job was given up");
}

/// Has every job that waits for its next try be tried now; how long they would have waited.
async fn hasten(stack: &TestStack) -> Vec<TimeDelta> {
    let due: Vec<(String, i64)> = queue(stack, &["ZRANGE", "delayed", "0", "-1", "WITHSCORES"]).await;
    let now = SystemClock.now().timestamp_millis();
    for (job, _) in &due {
        queue::<i64>(stack, &["ZADD", "delayed", "XX", "0", job]).await;
    }
    queue::<i64>(stack, &["PUBLISH", "wake", ""]).await;
    due.into_iter().map(|(_, at)| TimeDelta::milliseconds((at - now).max(0))).collect()
}

/// Enqueues the job of every appointment many times more.
async fn duplicate_jobs(stack: &TestStack, word: &str) {
    let more = format!(
        "INSERT INTO outbox (shop_id, queue, key, payload, created_at) SELECT shop_id, 'sync_appointment', '{word}:' || id || ':' || n, \
         jsonb_build_object('appointment', id), now() - interval '1 minute' FROM appointments, generate_series(1, 25) n"
    );
    stack.database.look().await.unwrap().execute(&more, &[]).await.unwrap();
}

fn google_fails(stack: &TestStack, failure: GoogleFailure, service: &str, times: Option<u32>) {
    stack.sandbox.state().faults(|faults| {
        faults.google = GoogleFaults { failure: Some(failure), service: Some(service.into()), times, ..GoogleFaults::default() };
    });
}

fn google_works(stack: &TestStack) {
    stack.sandbox.state().faults(|faults| faults.google = GoogleFaults::default());
}

/// The owner does something with an event at Google.
async fn at_google(stack: &TestStack, event: &Value, change: Option<Value>) {
    let id = event["id"].as_str().unwrap();
    let address = format!("{}/control/google/calendars/{ACCOUNT}/events/{id}", stack.sandbox.base_url());
    let request = match change {
        Some(change) => stack.http.patch(address).json(&change),
        None => stack.http.delete(address),
    };
    let status = request.send().await.unwrap().status();
    assert!(status.is_success(), "{status}");
}

/// From this time on, for so many minutes, as the owner puts it at Google.
fn span(at: DateTime<Utc>, minutes: i64) -> Value {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({"start": {"dateTime": text(at)}, "end": {"dateTime": text(at + TimeDelta::minutes(minutes))}})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_by_the_browser_that_began_it_and_once() {
    let stack = stack(1).await;
    let (owner, manager) = (stack.log_in(OTHER_OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    manager.get("/integrations/google/connect", 403).await.unwrap();
    assert_eq!(owner.get("/integrations/google", 200).await.unwrap(), json!({"state": "absent"}));

    let (back, cookie) = consent(&stack, &owner, |_| true).await.unwrap();
    assert_eq!(come_back(&stack, &back, "frontdesk-google=another").await.unwrap(), "google_state", "another browser");
    assert_eq!(come_back(&stack, &back, &cookie).await.unwrap(), "connected");
    assert_eq!(come_back(&stack, &back, &cookie).await.unwrap(), "google_state", "a state is used up");
    let standing = owner.get("/integrations/google", 200).await.unwrap();
    assert_eq!(
        (&standing["state"], &standing["account"], &standing["calendar_id"]),
        (&json!("connected"), &json!(ACCOUNT), &json!(ACCOUNT))
    );
    assert!(!standing.to_string().contains("token"), "{standing}");
    let calendars = owner.get("/integrations/google/calendars", 200).await.unwrap();
    assert!(calendars["items"].as_array().unwrap().iter().any(|calendar| calendar["id"] == ACCOUNT), "{calendars}");
    owner.put("/integrations/google", &json!({"calendar_id": "somebody@else.example"}), 422).await.unwrap();

    let (back, cookie) = consent(&stack, &owner, |scope| !scope.ends_with("calendar.events")).await.unwrap();
    assert_eq!(come_back(&stack, &back, &cookie).await.unwrap(), "google_scope_missing");

    owner.delete("/integrations/google", 204).await.unwrap();
    owner.delete("/integrations/google", 404).await.unwrap();
    assert_eq!(owner.get("/integrations/google", 200).await.unwrap()["state"], "absent");
    assert_eq!(stack.count("SELECT count(*) FROM integrations").await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_appointment_is_one_event_that_follows_it_however_often_its_job_runs() {
    let stack = stack(2).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    synced(&stack).await;
    let before = all_events(&stack, ACCOUNT).len();
    // Google does the work and does not say so, three times.
    google_fails(&stack, GoogleFailure::CutAfterWork, "calendar", Some(3));
    let at = ten(20);
    let body = booking_anyway(service, at);
    let made = owner.post_with_key("/appointments", "book", &body, 201).await.unwrap();
    owner.post_with_key("/appointments", "book", &body, 201).await.unwrap();
    duplicate_jobs(&stack, "booked").await;
    synced(&stack).await;
    all_written(&stack).await;
    let standing = all_events(&stack, ACCOUNT);
    assert_eq!(standing.len(), before + 1, "{standing:?}");
    let event = standing.iter().find(|event| begins(event) == at).unwrap();
    assert!(event["summary"].as_str().unwrap().contains("Anna Keller"));

    // Moved and moved back, while jobs of every version run.
    duplicate_jobs(&stack, "moving").await;
    for hours in [3, 1, 2] {
        let moved = json!({"action": "move", "id": made["id"], "starts_at": at + TimeDelta::hours(hours), "anyway": true});
        owner.post("/appointments", &moved, 200).await.unwrap();
    }
    duplicate_jobs(&stack, "moved").await;
    synced(&stack).await;
    all_written(&stack).await;
    assert_eq!(standing_at(&stack, at + TimeDelta::hours(2)), 1);
    assert_eq!(all_events(&stack, ACCOUNT).len(), before + 1);
    owner.post("/appointments", &json!({"action": "cancel", "id": made["id"]}), 200).await.unwrap();
    duplicate_jobs(&stack, "cancelled").await;
    synced(&stack).await;
    all_written(&stack).await;
    assert_eq!(all_events(&stack, ACCOUNT).len(), before + 1);
    assert!(!events(&stack).iter().any(|now| now["id"] == event["id"]), "it is deleted there, and stays so");
    stack.stop().await.unwrap();
}

/// The worker that writes the event dies at a point; what stands at Google then, and what another worker makes of it.
async fn dies_at(point: Point, stands: usize) {
    let stack = stack(0).await;
    let mut healthy = stack.spawn_worker(None).unwrap();
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    synced(&stack).await;
    healthy.kill().await.unwrap();
    let mut dying = stack.spawn_worker(Some(point.name())).unwrap();
    // It may die before it has told that it booked.
    let (status, _) = owner.ask("POST", "/appointments", Some(&booking_anyway(service, ten(20)))).await.unwrap();
    assert!(matches!(status, 201 | 202), "{status}");
    assert!(!tokio::time::timeout(PATIENCE, dying.wait()).await.unwrap().unwrap().success(), "{point:?} was reached");
    let booked = stack.count("SELECT count(*) FROM appointments WHERE state = 'booked' AND sync_state = 'pending'").await.unwrap();
    assert_eq!((standing_at(&stack, ten(20)), booked), (stands, 1));
    let _next = stack.spawn_worker(None).unwrap();
    synced(&stack).await;
    assert_eq!(standing_at(&stack, ten(20)), 1);
    assert_eq!(all_events(&stack, ACCOUNT).iter().filter(|event| begins(event) == ten(20)).count(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_between_booking_and_google_leaves_the_event_to_the_next() {
    dies_at(Point::AfterClaim, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_after_google_took_the_event_leaves_one() {
    dies_at(Point::AfterSend, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_of_errors_at_google_end_with_the_same_on_both_sides() {
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    let first = owner.post("/appointments", &booking(service, ten(20)), 201).await.unwrap();
    let second = owner.post("/appointments", &booking(service, ten(21)), 201).await.unwrap();
    synced(&stack).await;
    google_fails(&stack, GoogleFailure::Internal, "calendar", None);
    owner.post("/appointments", &booking_anyway(service, ten(22)), 201).await.unwrap();
    let moved = json!({"action": "move", "id": first["id"], "starts_at": ten(23), "anyway": true});
    owner.post("/appointments", &moved, 200).await.unwrap();
    owner.post("/appointments", &json!({"action": "cancel", "id": second["id"]}), 200).await.unwrap();

    // The queue's clock is put on, wait by wait, until ten minutes are over.
    let mut waited = TimeDelta::zero();
    while waited < TimeDelta::minutes(10) {
        until("every job waits for its next try", async || Ok((queue::<i64>(&stack, &["ZCARD", "delayed"]).await == 3).then_some(())))
            .await
            .unwrap();
        waited += hasten(&stack).await.into_iter().min().unwrap_or_default();
        let untried = async || queue::<i64>(&stack, &["ZCOUNT", "delayed", "0", "0"]).await;
        until("they are tried again", async || Ok((untried().await == 0).then_some(()))).await.unwrap();
    }
    assert_eq!(
        (standing_at(&stack, ten(20)), standing_at(&stack, ten(21)), standing_at(&stack, ten(22))),
        (1, 1, 0),
        "Google has heard nothing"
    );

    google_works(&stack);
    until("the next tries are over", async || Ok(hasten(&stack).await.is_empty().then_some(()))).await.unwrap();
    synced(&stack).await;
    all_written(&stack).await;
    let here = owner.get("/appointments?state=booked", 200).await.unwrap();
    let mut here: Vec<DateTime<Utc>> =
        here["items"].as_array().unwrap().iter().map(|item| item["starts_at"].as_str().unwrap().parse().unwrap()).collect();
    let mut there: Vec<DateTime<Utc>> = events(&stack).iter().map(begins).collect();
    here.sort();
    there.sort();
    assert_eq!(here, there);
    assert_eq!(here, [ten(22), ten(23)]);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_changes_at_google_is_taken_over() {
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    let (first, second) = (ten(20), ten(21));
    let one = owner.post("/appointments", &booking(service, first), 201).await.unwrap();
    let two = owner.post("/appointments", &booking(service, second), 201).await.unwrap();
    synced(&stack).await;
    look(&owner).await;
    let standing = events(&stack);
    let event = standing.iter().find(|event| begins(event) == first).unwrap();

    at_google(&stack, event, Some(span(first + TimeDelta::hours(2), 30))).await;
    look(&owner).await;
    let moved = appointment(&owner, &one["id"]).await.unwrap();
    assert_eq!(
        (&moved["starts_at"], &moved["ends_at"]),
        (&json!(first + TimeDelta::hours(2)), &json!(first + TimeDelta::hours(2) + TimeDelta::minutes(30))),
        "{moved}"
    );
    assert!(moved.to_string().contains("google"), "its history says who did it: {moved}");
    let calls = stack.sandbox.state().google_calls().len();
    look(&owner).await;
    let writes = stack.sandbox.state().google_calls().into_iter().skip(calls).filter(|call| call.method != "GET").count();
    assert_eq!(writes, 0, "what was taken over is not written back");

    // Onto another appointment: it stays, is marked, and staff are told, once.
    at_google(&stack, event, Some(span(second, 60))).await;
    look(&owner).await;
    look(&owner).await;
    let told = |mail: &frontdesk_sandbox::Mail| mail.subject.contains("cannot be where Google Calendar has it");
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, told).await;
    assert_eq!(mails.len(), 1);
    let marked = appointment(&owner, &one["id"]).await.unwrap();
    assert_eq!(marked["starts_at"], moved["starts_at"]);
    assert!(
        marked["calendar_conflict"].as_str().unwrap().starts_with(second.to_rfc3339_opts(SecondsFormat::Secs, true).as_str()),
        "{marked}"
    );
    let listed = owner.get("/appointments", 200).await.unwrap();
    assert!(listed["items"].as_array().unwrap().iter().any(|item| item["calendar_conflict"] == marked["calendar_conflict"]), "{listed}");
    // Our own next change settles it.
    let back = json!({"action": "move", "id": one["id"], "starts_at": first, "anyway": true});
    owner.post("/appointments", &back, 200).await.unwrap();
    synced(&stack).await;
    assert_eq!(standing_at(&stack, first), 1);
    assert_eq!(appointment(&owner, &one["id"]).await.unwrap()["calendar_conflict"], Value::Null);

    // Deleted while Google forgets how far we have read: everything is read anew.
    let event = standing.iter().find(|event| begins(event) == second).unwrap();
    at_google(&stack, event, None).await;
    stack.sandbox.state().google_expire_sync(None);
    let calls = stack.sandbox.state().google_calls().len();
    look(&owner).await;
    let reasons: Vec<_> = stack.sandbox.state().google_calls().into_iter().skip(calls).filter_map(|call| call.reason).collect();
    assert_eq!(reasons, ["fullSyncRequired"]);
    assert_eq!(appointment(&owner, &two["id"]).await.unwrap()["state"], "cancelled");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_told_what_was_changed_at_google_if_the_shop_wants_that() {
    const NUMBER: &str = "33612345678";
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let customer = stack.customer(SERVICE_WHATSAPP, NUMBER);
    customer.says("hello").unwrap();
    customer.hears_answer().await.unwrap();
    let id = stack.count(&format!("SELECT customer_id FROM customer_aliases WHERE value = '{NUMBER}'")).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    let mut body = booking(service, ten(20));
    body["customer_id"] = json!(id);
    let made = owner.post("/appointments", &body, 201).await.unwrap();
    synced(&stack).await;
    look(&owner).await;
    let event = events(&stack).into_iter().find(|event| begins(event) == ten(20)).unwrap();

    at_google(&stack, &event, Some(span(ten(20) + TimeDelta::hours(1), 60))).await;
    look(&owner).await;
    look(&owner).await;
    let text = customer.hears_text().await.unwrap();
    let local = (ten(20) + TimeDelta::hours(1)).with_timezone(&PARIS).format("%-d %B %Y, %H:%M").to_string();
    assert!(text.contains("Massage") && text.contains(&local), "{text}");

    let quietly = json!({"calendar_id": ACCOUNT, "tell_customers": false});
    at_google(&stack, &event, Some(span(ten(20) + TimeDelta::hours(2), 60))).await;
    look_at(&owner, &quietly).await;
    assert_eq!(appointment(&owner, &made["id"]).await.unwrap()["starts_at"], json!(ten(20) + TimeDelta::hours(2)));
    at_google(&stack, &event, Some(span(ten(20) + TimeDelta::hours(3), 60))).await;
    look(&owner).await;
    let text = customer.hears_text().await.unwrap();
    let local = (ten(20) + TimeDelta::hours(3)).with_timezone(&PARIS).format("%-d %B %Y, %H:%M").to_string();
    assert!(text.contains(&local), "of the change in between they hear nothing: {text}");

    at_google(&stack, &event, None).await;
    look(&owner).await;
    let text = customer.hears_text().await.unwrap();
    assert!(text.contains("Massage") && text.contains("cancel"), "{text}");
    assert_eq!(appointment(&owner, &made["id"]).await.unwrap()["state"], "cancelled");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_free_while_google_cannot_be_read_and_it_catches_up() {
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    let at = ten(20);
    let ours = at + TimeDelta::hours(4);
    owner.post("/appointments", &booking(service, ours), 201).await.unwrap();
    synced(&stack).await;
    let foreign = json!({"summary": "Dentist", "start": {"dateTime": at}, "end": {"dateTime": at + TimeDelta::hours(1)}});
    let address = format!("{}/control/google/calendars/{ACCOUNT}/events", stack.sandbox.base_url());
    assert!(stack.http.post(address).json(&foreign).send().await.unwrap().status().is_success());
    let day = |at: DateTime<Utc>| at.with_timezone(&PARIS).date_naive();
    let search = |at: DateTime<Utc>| format!("/appointments/available?service={service}&from={}&days=1", day(at));
    let free = owner.get(&search(at), 200).await.unwrap();
    let offers = |at: DateTime<Utc>| free["items"].as_array().unwrap().iter().any(|slot| slot["starts_at"] == json!(at));
    assert_eq!(free["checked"]["elsewhere"], true);
    assert!(!offers(at), "somebody is at the dentist's");
    assert!(!offers(ours), "our own appointment takes its time");
    assert!(offers(at + TimeDelta::hours(1)) && offers(ours + TimeDelta::hours(1)));
    owner.post("/appointments", &booking(service, at), 409).await.unwrap();
    // Moved by a part of its own length: its own event is not in its way.
    let listed = owner.get("/appointments", 200).await.unwrap();
    let id = &listed["items"].as_array().unwrap().iter().find(|item| item["starts_at"] == json!(ours)).unwrap()["id"];
    let later = json!({"action": "move", "id": id, "starts_at": ours + TimeDelta::minutes(30)});
    owner.post("/appointments", &later, 200).await.unwrap();
    synced(&stack).await;

    // The owner has moved ours there, and nobody has looked since: neither place is free.
    let (from, to) = (at + TimeDelta::days(10), at + TimeDelta::days(13));
    owner.post("/appointments", &booking_anyway(service, from), 201).await.unwrap();
    synced(&stack).await;
    let event = events(&stack).into_iter().find(|event| begins(event) == from).unwrap();
    at_google(&stack, &event, Some(span(to, 60))).await;
    for taken in [from, to] {
        let free = owner.get(&search(taken), 200).await.unwrap();
        let items = free["items"].as_array().unwrap();
        assert!(!items.is_empty() && !items.iter().any(|slot| slot["starts_at"] == json!(taken)), "{taken}");
    }

    google_fails(&stack, GoogleFailure::Internal, "calendar", None);
    let other = at + TimeDelta::days(40);
    let refused = owner.get(&search(other), 503).await.unwrap();
    assert_eq!(refused["code"], "calendar_unreachable");
    assert!(refused.get("items").is_none() && refused.get("slots").is_none(), "nothing is offered: {refused}");
    assert_eq!(owner.post("/appointments", &booking(service, other), 503).await.unwrap()["code"], "calendar_unreachable");
    google_fails(&stack, GoogleFailure::Cut, "calendar", None);
    assert_eq!(owner.get(&search(other + TimeDelta::days(1)), 503).await.unwrap()["code"], "calendar_unreachable");
    owner.post("/appointments", &booking_anyway(service, other), 201).await.unwrap();
    assert_eq!(standing_at(&stack, other), 0);
    google_works(&stack);
    synced(&stack).await;
    assert_eq!(standing_at(&stack, other), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_permission_is_told_once_and_nothing_is_free() {
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    synced(&stack).await;
    stack.sandbox.state().google_revoke(ACCOUNT);
    let search = format!("/appointments/available?service={service}&from={}&days=1", ten(60).with_timezone(&PARIS).date_naive());
    assert_eq!(owner.get(&search, 503).await.unwrap()["code"], "calendar_unreachable");
    let standing = owner.get("/integrations/google", 200).await.unwrap();
    assert_eq!((&standing["state"], &standing["error"]), (&json!("broken"), &json!("invalid_grant")));
    assert_eq!(owner.get(&search, 503).await.unwrap()["code"], "calendar_unreachable");
    let told = |mail: &frontdesk_sandbox::Mail| mail.subject.contains("Google Calendar is disconnected");
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, told).await;
    assert_eq!(mails.len(), 1);
    // What is booked meanwhile stands there once the account is connected again.
    let made = owner.post("/appointments", &booking_anyway(service, ten(20)), 201).await.unwrap();
    assert_eq!(made["state"], "booked");
    connect(&stack, &owner).await;
    owner.get(&search, 200).await.unwrap();
    synced(&stack).await;
    assert_eq!(standing_at(&stack, ten(20)), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_calendar_that_is_picked_gets_the_events_and_the_old_one_loses_them() {
    const OTHER: &str = "salon@group.calendar.example";
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    let calendar = json!({"id": OTHER, "summary": "Salon", "time_zone": "Europe/Paris", "roles": {ACCOUNT: "writer"}});
    let made = stack.http.put(format!("{}/control/google/calendars", stack.sandbox.base_url())).json(&calendar).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    connect(&stack, &owner).await;
    for day in [20, 21] {
        owner.post("/appointments", &booking(service, ten(day)), 201).await.unwrap();
    }
    let cancelled = owner.post("/appointments", &booking(service, ten(22)), 201).await.unwrap();
    synced(&stack).await;
    let foreign = json!({"summary": "Dentist", "start": {"dateTime": ten(30)}, "end": {"dateTime": ten(30) + TimeDelta::hours(1)}});
    let address = format!("{}/control/google/calendars/{ACCOUNT}/events", stack.sandbox.base_url());
    assert!(stack.http.post(address).json(&foreign).send().await.unwrap().status().is_success());
    assert_eq!((events_of(&stack, ACCOUNT).len(), events_of(&stack, OTHER).len()), (4, 0));

    // One is cancelled while nothing reaches Google, and then the other calendar is picked.
    google_fails(&stack, GoogleFailure::Internal, "calendar", None);
    owner.post("/appointments", &json!({"action": "cancel", "id": cancelled["id"]}), 200).await.unwrap();
    google_works(&stack);
    look_at(&owner, &json!({"calendar_id": OTHER})).await;
    until("the events are in the other calendar, and in no other", async || {
        Ok(((events_of(&stack, ACCOUNT).len(), events_of(&stack, OTHER).len()) == (1, 2)).then_some(()))
    })
    .await
    .unwrap();
    synced(&stack).await;
    all_written(&stack).await;
    assert_eq!(events_of(&stack, ACCOUNT)[0]["summary"], "Dentist", "what is not ours stays");
    let mut starts: Vec<DateTime<Utc>> = events_of(&stack, OTHER).iter().map(begins).collect();
    starts.sort();
    assert_eq!(starts, [ten(20), ten(21)]);

    // And back: events of old come to life again, under their ids.
    look_at(&owner, &json!({"calendar_id": ACCOUNT})).await;
    until("they are back", async || Ok(((events_of(&stack, ACCOUNT).len(), events_of(&stack, OTHER).len()) == (3, 0)).then_some(())))
        .await
        .unwrap();
    assert_eq!(
        owner.get("/appointments?state=booked", 200).await.unwrap()["items"].as_array().unwrap().len(),
        2,
        "moving house cancels nobody"
    );
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_google_tells_of_is_taken_over_without_waiting_for_the_clock() {
    let port = free_port().unwrap();
    let address = format!("http://localhost:{port}");
    let plan = Plan::default().with("SCHEDULE_PULL_CALENDAR", "0 0 0 1 1 *").with("LISTEN_ADDR", format!("127.0.0.1:{port}"));
    let stack = TestStack::planned(plan.with("PUBLIC_URL", address)).await.unwrap();
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    let made = owner.post("/appointments", &booking(service, ten(20)), 201).await.unwrap();
    synced(&stack).await;
    let event = events(&stack).into_iter().find(|event| begins(event) == ten(20)).unwrap();
    // Each notification comes more than once.
    stack.sandbox.state().faults(|faults| faults.google = GoogleFaults { push_duplicates: 2, ..GoogleFaults::default() });
    at_google(&stack, &event, Some(span(ten(21), 60))).await;
    until("it was taken over", async || Ok((appointment(&owner, &made["id"]).await?["starts_at"] == json!(ten(21))).then_some(())))
        .await
        .unwrap();
    let history = appointment(&owner, &made["id"]).await.unwrap()["history"].clone();
    assert_eq!(history.as_array().unwrap().iter().filter(|change| change["action"] == "moved").count(), 1, "{history}");
    stack.stop().await.unwrap();
}

/// In a chat: a time is agreed to, and one is asked for, while Google is away.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_promised_nothing_while_the_calendar_cannot_be_read() {
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    offered(&owner).await;
    connect(&stack, &owner).await;
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345671");
    let day = |days| ten(days).with_timezone(&PARIS).format("%-d %B %Y").to_string();
    customer.says(&format!("I'd like to book a massage on {} at 10:00 please", day(12))).unwrap();
    assert_eq!(buttons(&customer.hears_answer().await.unwrap()).len(), 2);

    google_fails(&stack, GoogleFailure::Internal, "calendar", None);
    customer.says("yes please").unwrap();
    let told = customer.hears_answer().await.unwrap();
    assert!(buttons(&told).is_empty() && !told.text.as_deref().unwrap_or_default().contains("10:00"), "{told:?}");
    customer.says(&format!("when do you have time for a massage on {}?", day(13))).unwrap();
    let told = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(!told.contains(":00") && told.contains("calendar"), "{told}");
    assert_eq!(stack.count("SELECT count(*) FROM appointments WHERE service_name = 'Massage'").await.unwrap(), 0);
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, |mail| mail.subject.contains("calendar cannot be read")).await;
    assert_eq!(mails.len(), 1, "staff are told once");

    // The proposal is still on the table.
    google_works(&stack);
    customer.says("yes please").unwrap();
    assert!(customer.hears_answer().await.unwrap().text.unwrap().contains("10:00"));
    synced(&stack).await;
    assert_eq!(standing_at(&stack, ten(12)), 1);
    stack.stop().await.unwrap();
}

/// What stands in the only spreadsheet, its rows.
async fn only_sheet(stack: &TestStack) -> Vec<Value> {
    let address = format!("{}/control/google/sheets", stack.sandbox.base_url());
    let sheets: Value = stack.http.get(address).send().await.unwrap().json().await.unwrap();
    let items = sheets["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{sheets}");
    items[0]["tabs"][0]["rows"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn appointments_go_into_a_spreadsheet_as_text_and_once() {
    const FORMULA: &str = "=HYPERLINK(\"http://evil.example\")";
    let stack = stack(1).await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    assert_eq!(owner.post("/appointments/export/google-sheet", &json!({}), 409).await.unwrap()["code"], "google_not_connected");
    let service = offered(&owner).await;
    connect(&stack, &owner).await;
    let mut ids = Vec::new();
    for hours in 0..3 {
        let mut body = booking(service, ten(20) + TimeDelta::hours(hours));
        body["customer_name"] = json!(FORMULA);
        ids.push(owner.post("/appointments", &body, 201).await.unwrap()["id"].clone());
    }
    let day = ten(20).with_timezone(&PARIS).date_naive();
    let period = json!({"from": day, "to": day});
    // It fails, then its answers are lost, and it is asked for again.
    google_fails(&stack, GoogleFailure::Internal, "sheets", Some(1));
    let made = owner.post_with_key("/appointments/export/google-sheet", "sheet", &period, 200).await.unwrap();
    assert_eq!(owner.post_with_key("/appointments/export/google-sheet", "sheet", &period, 200).await.unwrap(), made);
    assert!(made["url"].as_str().unwrap().starts_with("http"), "{made}");
    let rows = only_sheet(&stack).await;
    let column = |name: &str| rows[0].as_array().unwrap().iter().position(|head| head == name).unwrap();
    let written: Vec<&Value> = rows[1..].iter().map(|row| &row[column("id")]).collect();
    assert_eq!(written, ids.iter().collect::<Vec<_>>(), "each once, in order: {rows:?}");
    assert!(rows[1..].iter().all(|row| row[column("customer_name")] == FORMULA), "text, no formula: {rows:?}");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_while_it_fills_a_spreadsheet_leaves_each_row_once() {
    let stack = stack(0).await;
    let mut dying = stack.spawn_worker(Some(Point::AfterSend.name())).unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    connect(&stack, &owner).await;
    let from = SystemClock.now().date_naive() - Days::new(120);
    let lines =
        format!("SELECT count(*) FROM orders o JOIN users u USING (shop_id) WHERE u.email = '{}' AND o.sale_date >= '{from}'", OWNER.0);
    let period = json!({"from": from});
    let ask = async |status: u16| owner.post_with_key("/orders/export/google-sheet", "orders", &period, status).await;
    // Nobody is left to answer it in time.
    ask(202).await.unwrap();
    assert!(!tokio::time::timeout(PATIENCE, dying.wait()).await.unwrap().unwrap().success());
    let half = only_sheet(&stack).await;
    let _next = stack.spawn_worker(None).unwrap();
    let made = until("the spreadsheet is filled", async || Ok(ask(200).await.ok())).await.unwrap();
    assert!(made["url"].as_str().unwrap().starts_with("http"), "{made}");
    let rows = only_sheet(&stack).await;
    let lines = usize::try_from(stack.count(&lines).await.unwrap()).unwrap();
    assert!((1..lines).contains(&(half.len() - 1)), "it died in the middle: {} of {lines}", half.len() - 1);
    assert_eq!(rows.len() - 1, lines);
    let mut different: Vec<String> = rows.iter().map(Value::to_string).collect();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), rows.len(), "no row twice");
    stack.stop().await.unwrap();
}
