//! Customers are reminded of appointments, once each and within Meta's rules, and say by a tap or in words whether they come.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use frontdesk_core::clock::{Clock as _, SystemClock};
use frontdesk_sandbox::ReceivedSend;
use serde_json::{Value, json};
use system_tests::{Api, MESSENGER, OTHER_OWNER, OWNER, Plan, SERVICE_WHATSAPP, Talk, TestStack, buttons, until};

/// Everything, running; appointments are looked at every second.
async fn stack() -> TestStack {
    TestStack::planned(Plan::default().with("SCHEDULE_REMIND_CUSTOMERS", "* * * * * *")).await.unwrap()
}

/// Sets how the shop reminds; customers may change appointments up to the last minute.
async fn reminds(owner: &Api<'_>, template: Option<&str>) {
    let mut settings = owner.get("/shop", 200).await.unwrap();
    for read_only in ["plan", "status", "trial_ends_at", "updated_at"] {
        settings.as_object_mut().unwrap().remove(read_only);
    }
    settings["change_minutes"] = json!(0);
    settings["reminder_minutes"] = json!([1440, 240]);
    settings["reminder_template"] = json!(template);
    settings.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let saved = owner.put("/shop", &settings, 200).await.unwrap();
    assert_eq!((&saved["reminder_minutes"], &saved["reminder_template"]), (&json!([1440, 240]), &json!(template)));
}

/// A service that is offered at any time; its id.
async fn offered(owner: &Api<'_>) -> i64 {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), json!(["00:00-24:00"])));
    let hours = Value::Object(days.into_iter().collect());
    let staff = owner.post("/staff", &json!({"name": "Zoé", "hours": hours}), 201).await.unwrap();
    let service = json!({"name": "Massage", "duration_minutes": 30, "price": "80.00", "lead_minutes": 0, "horizon_days": 400, "staff_ids": [staff["id"]]});
    owner.post("/services", &service, 201).await.unwrap()["id"].as_i64().unwrap()
}

/// Writes once, so that the shop knows them; their id.
async fn introduced(stack: &TestStack, customer: &Talk<'_>, id: &str) -> i64 {
    customer.says("Hello, good morning").unwrap();
    customer.hears_answer().await.unwrap();
    stack.count(&format!("SELECT customer_id FROM customer_aliases WHERE value = '{id}'")).await.unwrap()
}

/// So many minutes from now, to the minute.
fn soon(minutes: i64) -> DateTime<Utc> {
    let now = SystemClock.now();
    now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now) + TimeDelta::minutes(minutes)
}

async fn booked(owner: &Api<'_>, service: i64, customer: i64, starts_at: DateTime<Utc>) -> i64 {
    let body =
        json!({"service_id": service, "starts_at": starts_at, "customer_id": customer, "customer_name": "Kim Sample", "anyway": true});
    owner.post("/appointments", &body, 201).await.unwrap()["id"].as_i64().unwrap()
}

/// As if it had been booked two days ago: then its reminders are due.
async fn long_ago(stack: &TestStack, appointment: i64) {
    let look = stack.database.look().await.unwrap();
    let earlier = format!(
        "UPDATE appointment_events SET created_at = created_at - interval '2 days' WHERE appointment_id = {appointment}; \
         UPDATE appointments SET created_at = created_at - interval '2 days' WHERE id = {appointment}"
    );
    look.batch_execute(&earlier).await.unwrap();
}

/// As if the customer had written a day earlier.
async fn silent_for_a_day(stack: &TestStack, account: &str, customer: &str) {
    assert!(stack.sandbox.state().age_conversation(account, customer, TimeDelta::hours(25).num_milliseconds()));
    let look = stack.database.look().await.unwrap();
    look.batch_execute("UPDATE conversations SET last_customer_at = last_customer_at - interval '25 hours'").await.unwrap();
}

async fn appointment(owner: &Api<'_>, id: i64) -> Value {
    owner.get(&format!("/appointments/{id}"), 200).await.unwrap()
}

/// Waits until a reminder is noted that was not overtaken.
async fn reminder(owner: &Api<'_>, id: i64) -> Value {
    until("the reminder is noted", async || {
        let whole = owner.get(&format!("/appointments/{id}"), 200).await?;
        Ok(whole["reminders"].as_array().into_iter().flatten().find(|one| one["reason"] != "overtaken").cloned())
    })
    .await
    .unwrap()
}

/// The next message, which must be a reminder; recorded as sent, so that what is said now comes after it.
async fn hears_reminder(stack: &TestStack, customer: &Talk<'_>) -> ReceivedSend {
    let send = customer.hears().await.unwrap();
    assert!(
        send.text.as_deref().unwrap().starts_with("This is to remind you of your appointment:\n\nMassage with Zoé\n"),
        "{:?}",
        send.text
    );
    let unsent = "SELECT count(*) FROM messages WHERE kind = 'reminder' AND sent_at IS NULL";
    until("it is recorded", async || Ok((stack.count(unsent).await? == 0).then_some(()))).await.unwrap();
    send
}

async fn reminders_sent(stack: &TestStack, appointment: i64) -> i64 {
    stack.count(&format!("SELECT count(*) FROM messages WHERE send_key LIKE 'remind:{appointment}:%'")).await.unwrap()
}

fn texts(customer: &Talk<'_>) -> Vec<String> {
    customer.heard().into_iter().filter_map(|send| send.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn within_the_window_a_reminder_comes_once_with_buttons_that_confirm_cancel_or_offer_other_times() {
    const NUMBER: &str = "33612340001";
    let stack = stack().await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    reminds(&owner, None).await;
    let service = offered(&owner).await;
    let customer = stack.customer(SERVICE_WHATSAPP, NUMBER);
    let id = introduced(&stack, &customer, NUMBER).await;
    let first = booked(&owner, service, id, soon(180)).await;
    long_ago(&stack, first).await;
    let heard = hears_reminder(&stack, &customer).await;
    let under = buttons(&heard);
    let titles: Vec<_> = under.iter().map(|button| button["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Confirm", "Cancel", "Another time"]);

    customer.taps(&under[0]).unwrap();
    let said = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(said.starts_with("Thank you, we look forward to seeing you:\n\nMassage with Zoé"), "{said}");
    let whole = appointment(&owner, first).await;
    assert!(whole["confirmed_at"].is_string() && whole["state"] == "booked", "{whole}");
    assert_eq!(whole["history"][1]["action"], "confirmed");
    let reminders: Vec<_> =
        whole["reminders"].as_array().unwrap().iter().map(|one| (&one["minutes"], &one["state"], &one["reason"])).collect();
    assert_eq!(reminders, [(&json!(1440), &json!("skipped"), &json!("overtaken")), (&json!(240), &json!("sent"), &json!(null))]);

    // Not at once: it is asked first.
    customer.taps(&under[1]).unwrap();
    let asked = customer.hears_answer().await.unwrap();
    assert!(asked.text.as_deref().unwrap().contains("Shall I cancel this appointment?"), "{:?}", asked.text);
    assert_eq!(appointment(&owner, first).await["state"], "booked");
    customer.taps(&buttons(&asked)[0]).unwrap();
    let said = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(said.starts_with("This appointment is cancelled:"), "{said}");
    assert_eq!(appointment(&owner, first).await["state"], "cancelled");

    let second = booked(&owner, service, id, soon(200)).await;
    long_ago(&stack, second).await;
    let heard = hears_reminder(&stack, &customer).await;
    customer.taps(&buttons(&heard)[2]).unwrap();
    let offer = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(offer.starts_with("Free times for Massage:") && offer.contains("Which one suits you?"), "{offer}");
    assert_eq!(appointment(&owner, second).await["state"], "booked");
    // What was cancelled is not there, whatever is tapped.
    for button in &under {
        customer.taps(button).unwrap();
        let said = customer.hears_answer().await.unwrap().text.unwrap();
        assert!(said.starts_with("I find no appointment of yours"), "{said}");
    }
    // The job has been fired every second all the while.
    assert_eq!((reminders_sent(&stack, first).await, reminders_sent(&stack, second).await), (1, 1));
    assert_eq!(texts(&customer).iter().filter(|text| text.starts_with("This is to remind you")).count(), 2);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_is_answered_in_words_and_by_nobody_else() {
    const NUMBER: &str = "33612340002";
    const STRANGER: &str = "33612340003";
    let stack = stack().await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    reminds(&owner, None).await;
    let service = offered(&owner).await;
    let (customer, stranger) = (stack.customer(SERVICE_WHATSAPP, NUMBER), stack.customer(SERVICE_WHATSAPP, STRANGER));
    let id = introduced(&stack, &customer, NUMBER).await;
    introduced(&stack, &stranger, STRANGER).await;
    let first = booked(&owner, service, id, soon(180)).await;
    long_ago(&stack, first).await;
    let heard = hears_reminder(&stack, &customer).await;

    for button in buttons(&heard) {
        stranger.taps(&button).unwrap();
        let said = stranger.hears_answer().await.unwrap().text.unwrap();
        assert!(said.starts_with("I find no appointment of yours"), "{said}");
    }
    assert!(appointment(&owner, first).await["confirmed_at"].is_null());

    customer.says("yes").unwrap();
    let said = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(said.starts_with("Thank you, we look forward to seeing you:"), "{said}");
    assert!(appointment(&owner, first).await["confirmed_at"].is_string());
    // The reminder is not the last word any more.
    customer.says("no").unwrap();
    let said = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(!said.contains("Shall I cancel this appointment?"), "{said}");

    let second = booked(&owner, service, id, soon(230)).await;
    long_ago(&stack, second).await;
    hears_reminder(&stack, &customer).await;
    customer.says("no").unwrap();
    let said = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(said.contains("Shall I cancel this appointment?"), "{said}");
    customer.says("yes").unwrap();
    let said = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(said.starts_with("This appointment is cancelled:"), "{said}");
    assert_eq!(
        (&appointment(&owner, first).await["state"], &appointment(&owner, second).await["state"]),
        (&json!("booked"), &json!("cancelled"))
    );
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_window_an_approved_template_reminds_and_without_one_nothing_is_sent() {
    const NUMBER: &str = "33612340004";
    let stack = stack().await;
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    reminds(&owner, None).await;
    let service = offered(&owner).await;
    let customer = stack.customer(SERVICE_WHATSAPP, NUMBER);
    let id = introduced(&stack, &customer, NUMBER).await;
    silent_for_a_day(&stack, SERVICE_WHATSAPP, NUMBER).await;
    let first = booked(&owner, service, id, soon(180)).await;
    long_ago(&stack, first).await;
    let skipped = reminder(&owner, first).await;
    assert_eq!((&skipped["state"], &skipped["reason"], &skipped["message_id"]), (&json!("skipped"), &json!("no_template"), &json!(null)));

    reminds(&owner, Some("appointment_reminder")).await;
    let starts_at = soon(220);
    let second = booked(&owner, service, id, starts_at).await;
    long_ago(&stack, second).await;
    let heard = customer.hears().await.unwrap();
    assert!(heard.refusal.is_none(), "{:?}", heard.refusal);
    let template = &heard.body["template"];
    assert_eq!((&template["name"], &template["language"]["code"]), (&json!("appointment_reminder"), &json!("en")));
    let values: Vec<_> =
        template["components"][0]["parameters"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    let wall = starts_at.with_timezone(&chrono_tz::Tz::Europe__Paris);
    let (date, time) = (wall.format("%A, %-d %B %Y").to_string(), wall.format("%H:%M").to_string());
    assert_eq!(values, ["Kim Sample", "Massage", &date, &time]);
    let sent = reminder(&owner, second).await;
    assert!(sent["state"] == "sent" && sent["message_id"].is_i64(), "{sent}");
    assert_eq!((reminders_sent(&stack, first).await, reminders_sent(&stack, second).await), (0, 1));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_window_messenger_customers_are_not_reminded_and_staff_see_why() {
    const PERSON: &str = "700042";
    let stack = stack().await;
    let owner = stack.log_in(OWNER).await.unwrap();
    reminds(&owner, Some("appointment_reminder")).await;
    let service = offered(&owner).await;
    let customer = stack.customer(MESSENGER, PERSON);
    let id = introduced(&stack, &customer, PERSON).await;
    silent_for_a_day(&stack, MESSENGER, PERSON).await;
    let sends = customer.heard().len();
    let made = booked(&owner, service, id, soon(180)).await;
    long_ago(&stack, made).await;
    let skipped = reminder(&owner, made).await;
    assert_eq!((&skipped["state"], &skipped["reason"]), (&json!("skipped"), &json!("window_closed")));
    assert_eq!(customer.heard().len(), sends);
    stack.stop().await.unwrap();
}
