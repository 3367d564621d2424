//! Appointments in a chat: a customer asks, sees what is free, agrees, and comes; or moves it, or cancels it. Whatever the model does, one time is one
//! customer's, nothing is booked unasked, and nobody touches what is somebody else's.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use frontdesk_core::clock::{Clock as _, SystemClock};
use frontdesk_sandbox::ReceivedSend;
use frontdesk_sandbox::brain::Misbehaviour;
use futures_util::future::join_all;
use serde_json::{Value, json};
use system_tests::{Api, OTHER_OWNER, OWNER, SERVICE_WHATSAPP, Talk, TestStack, WHATSAPP, buttons};

const PARIS: Tz = Tz::Europe__Paris;
const MONTHS: [[&str; 12]; 3] = [
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
    ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
    ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
];

/// A shop that offers massages at any time of any day, by one person, up to a year ahead.
struct Parlour<'a> {
    owner: Api<'a>,
    staff: i64,
    service: i64,
    zone: Tz,
}

impl<'a> Parlour<'a> {
    async fn open(stack: &'a TestStack) -> Self {
        let owner = stack.log_in(OTHER_OWNER).await.unwrap();
        Self::of(owner, PARIS).await
    }

    async fn of(owner: Api<'a>, zone: Tz) -> Self {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), json!(["00:00-24:00"])));
        let hours = Value::Object(days.into_iter().collect());
        let staff = owner.post("/staff", &json!({"name": "Zoé", "hours": hours}), 201).await.unwrap()["id"].as_i64().unwrap();
        let service = json!({"name": "Massage", "duration_minutes": 60, "buffer_after_minutes": 15, "price": "80.00", "lead_minutes": 0,
            "horizon_days": 400, "staff_ids": [staff]});
        let service = owner.post("/services", &service, 201).await.unwrap()["id"].as_i64().unwrap();
        Self { owner, staff, service, zone }
    }

    /// The day so many days from today, on the shop's wall.
    fn day(&self, ahead: u64) -> NaiveDate {
        SystemClock.now().with_timezone(&self.zone).date_naive() + Days::new(ahead)
    }

    fn at(&self, day: NaiveDate, hour: u32) -> DateTime<Utc> {
        self.zone.from_local_datetime(&day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap())).unwrap().to_utc()
    }

    /// What is booked with the masseuse on a day.
    async fn booked(&self, day: NaiveDate) -> Vec<Value> {
        let found = self.owner.get(&format!("/appointments?from={day}&to={day}&staff_id={}&state=booked", self.staff), 200).await.unwrap();
        found["items"].as_array().unwrap().clone()
    }

    /// The customer asks for a massage on a day at 17:00 and agrees in their next message; gives the appointment.
    async fn books(&self, talk: &Talk<'_>, day: NaiveDate) -> Value {
        talk.says(&format!("I'd like to book a massage on {} at 17:00 please", in_words(day))).unwrap();
        assert_proposes(&talk.hears_answer().await.unwrap(), "17:00");
        talk.says("yes please").unwrap();
        talk.hears_answer().await.unwrap();
        let booked = self.booked(day).await;
        let ours = booked.into_iter().find(|one| one["starts_at"] == wire(self.at(day, 17))).unwrap();
        assert_eq!((&ours["source"], &ours["state"], &ours["price"]), (&json!("agent"), &json!("booked"), &json!("80.00")));
        ours
    }

    async fn state(&self, appointment: &Value) -> Value {
        self.owner.get(&format!("/appointments/{}", appointment["id"]), 200).await.unwrap()["state"].clone()
    }
}

/// Changes one of the shop's settings.
async fn set(owner: &Api<'_>, name: &str, value: Value) {
    let mut settings = owner.get("/shop", 200).await.unwrap();
    for read_only in ["plan", "status", "trial_ends_at", "updated_at"] {
        settings.as_object_mut().unwrap().remove(read_only);
    }
    settings.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    settings[name] = value;
    owner.put("/shop", &settings, 200).await.unwrap();
}

fn wire(at: DateTime<Utc>) -> Value {
    serde_json::to_value(at).unwrap()
}

fn dated(day: NaiveDate, language: usize) -> (u32, &'static str, i32) {
    (day.day(), MONTHS[language][usize::try_from(day.month0()).unwrap()], day.year())
}

fn in_words(day: NaiveDate) -> String {
    let (day, month, year) = dated(day, 0);
    format!("{day} {month} {year}")
}

/// It shows a time and asks, with both buttons.
fn assert_proposes(answer: &ReceivedSend, time: &str) {
    let text = answer.text.as_deref().unwrap_or_default();
    assert!(text.contains(time) && text.contains("80"), "{text}");
    assert_eq!(buttons(answer).len(), 2, "{text}");
}

/// Times of day in a text.
fn times(text: &str) -> Vec<&str> {
    let time = |word: &&str| {
        word.split_once(':').is_some_and(|(hour, minute)| {
            !hour.is_empty() && minute.len() == 2 && hour.bytes().chain(minute.bytes()).all(|byte| byte.is_ascii_digit())
        })
    };
    text.split(|c: char| !c.is_ascii_digit() && c != ':').filter(time).collect()
}

const BOOKED: &str = "SELECT count(*) FROM appointments a JOIN services s ON s.shop_id = a.shop_id AND s.id = a.service_id \
    WHERE s.name = 'Massage' AND a.state = 'booked'";

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_asks_sees_what_is_free_and_agrees() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345601");
    customer.says(&format!("hi, when do you have time for a massage on {}, after 4pm?", in_words(day))).unwrap();
    let free = customer.hears_answer().await.unwrap();
    let text = free.text.clone().unwrap();
    assert!(times(&text).len() > 1 && text.contains(&day.day().to_string()), "{text}");
    assert_eq!(stack.count(BOOKED).await.unwrap(), 0);

    customer.says("at 17:00 please").unwrap();
    assert_proposes(&customer.hears_answer().await.unwrap(), "17:00");
    assert_eq!(parlour.booked(day).await, Vec::<Value>::new(), "nothing is booked before the customer agrees");

    customer.says("yes please").unwrap();
    let done = customer.hears_answer().await.unwrap().text.unwrap();
    assert!(done.contains("17:00"), "{done}");
    let booked = parlour.booked(day).await;
    assert_eq!(booked.len(), 1);
    let one = &booked[0];
    assert_eq!(
        (&one["starts_at"], &one["source"], &one["service_id"]),
        (&wire(parlour.at(day, 17)), &json!("agent"), &json!(parlour.service))
    );
    assert!(one["customer_id"].is_i64(), "{one}");
    // Saying it again books nothing again.
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(parlour.booked(day).await.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_book_and_refuse() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345602");
    let ask = format!("a massage with Zoé on {} at 17:00", in_words(day));
    customer.says(&ask).unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    assert_proposes(&proposal, "17:00");
    assert!(proposal.text.as_deref().unwrap().contains("Zoé"), "{:?}", proposal.text);
    customer.taps(&buttons(&proposal)[1]).unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(stack.count(BOOKED).await.unwrap(), 0);
    // The refused proposal is gone: a late tap on its other button books nothing.
    customer.taps(&buttons(&proposal)[0]).unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(stack.count(BOOKED).await.unwrap(), 0);

    customer.says(&ask).unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    customer.taps(&buttons(&proposal)[0]).unwrap();
    customer.hears_answer().await.unwrap();
    customer.taps(&buttons(&proposal)[0]).unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(parlour.booked(day).await.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_moved_across_a_change_of_the_clock_keeps_its_time_on_the_wall() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    set(&owner, "timezone", json!("Europe/Berlin")).await;
    let parlour = Parlour::of(owner, Tz::Europe__Berlin).await;
    let offset = |day| parlour.at(day, 12).with_timezone(&parlour.zone).offset().fix();
    // Clocks change on a Sunday: from the Friday before to the Monday after.
    let sunday = parlour.day(4).iter_days().find(|day| offset(*day) != offset(*day - Days::new(1))).unwrap();
    let (friday, monday) = (sunday - Days::new(2), sunday + Days::new(1));
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345603");
    let made = parlour.books(&customer, friday).await;
    customer.says(&format!("can we move my appointment to {} at 17:00?", in_words(monday))).unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    assert!(proposal.text.as_deref().unwrap().contains("17:00"), "{:?}", proposal.text);
    assert_eq!(buttons(&proposal).len(), 2);
    assert_eq!(parlour.booked(friday).await.len(), 1, "it stands until the customer agrees");
    customer.says("yes").unwrap();
    customer.hears_answer().await.unwrap();
    let moved = parlour.booked(monday).await[0].clone();
    assert_eq!((&moved["id"], &moved["starts_at"]), (&made["id"], &wire(parlour.at(monday, 17))));
    assert_ne!(parlour.at(monday, 17) - parlour.at(friday, 17), TimeDelta::days(3), "the clock is changed in between");
    assert!(parlour.booked(friday).await.is_empty());
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_is_cancelled_once_the_customer_says_yes_to_it() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345604");
    let made = parlour.books(&customer, day).await;

    customer.says("sorry, please cancel my appointment").unwrap();
    let question = customer.hears_answer().await.unwrap();
    assert!(question.text.as_deref().unwrap().contains("17:00"), "{:?}", question.text);
    assert_eq!(buttons(&question).len(), 2);
    assert_eq!(parlour.state(&made).await, "booked");
    customer.says("no, keep it").unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(parlour.state(&made).await, "booked");

    customer.says("I have to cancel my appointment after all").unwrap();
    customer.hears_answer().await.unwrap();
    customer.says("yes").unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(parlour.state(&made).await, "cancelled");
    // Its time is free again.
    let found = parlour.owner.get(&format!("/appointments/available?service={}&from={day}&days=1", parlour.service), 200).await.unwrap();
    let free = found["items"].as_array().unwrap().iter().any(|slot| slot["starts_at"] == wire(parlour.at(day, 17)));
    assert!(free, "{found}");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_late_a_customer_is_told_so_and_staff_still_can() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345605");
    let made = parlour.books(&customer, day).await;
    set(&parlour.owner, "change_minutes", json!(30 * 24 * 60)).await;

    for words in ["please cancel my appointment", "can we move my appointment to an hour later?"] {
        customer.says(words).unwrap();
        let told = customer.hears_answer().await.unwrap();
        assert!(buttons(&told).is_empty(), "{words}: {:?}", told.text);
        customer.says("yes").unwrap();
        customer.hears_answer().await.unwrap();
        assert_eq!(parlour.state(&made).await, "booked", "{words}");
        assert_eq!(parlour.booked(day).await[0]["starts_at"], made["starts_at"]);
    }
    let cancelled = parlour.owner.post("/appointments", &json!({"action": "cancel", "id": made["id"]}), 200).await.unwrap();
    assert_eq!(cancelled["state"], "cancelled");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_want_one_time_one_has_it_and_the_other_hears_what_is_free() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let (first, second) = (stack.customer(SERVICE_WHATSAPP, "33612345606"), stack.customer(SERVICE_WHATSAPP, "33612345607"));
    for customer in [&first, &second] {
        customer.says(&format!("a massage on {} at 17:00 please", in_words(day))).unwrap();
        assert_proposes(&customer.hears_answer().await.unwrap(), "17:00");
    }
    first.says("yes please").unwrap();
    first.hears_answer().await.unwrap();
    second.says("yes please").unwrap();
    let told = second.hears_answer().await.unwrap().text.unwrap();
    assert!(times(&told).iter().any(|time| *time != "17:00"), "other times are offered: {told}");
    assert_eq!(parlour.booked(day).await.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_agree_to_one_time_at_once_one_has_it() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let customers: Vec<_> = (0..20).map(|n| stack.customer(SERVICE_WHATSAPP, &format!("336123457{n:02}"))).collect();
    for customer in &customers {
        customer.says(&format!("a massage on {} at 17:00 please", in_words(day))).unwrap();
    }
    join_all(customers.iter().map(async |customer| assert_proposes(&customer.hears_answer().await.unwrap(), "17:00"))).await;
    for customer in &customers {
        customer.says("yes please").unwrap();
    }
    join_all(customers.iter().map(async |customer| drop(customer.hears_answer().await.unwrap()))).await;
    let booked = parlour.booked(day).await;
    assert_eq!(booked.iter().filter(|one| one["starts_at"] == wire(parlour.at(day, 17))).count(), 1);
    assert_eq!(booked.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_touches_an_appointment_of_somebody_else_by_naming_it() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let made = parlour.books(&stack.customer(SERVICE_WHATSAPP, "33612345608"), day).await;
    let stranger = stack.customer(SERVICE_WHATSAPP, "33612345609");
    for misbehaviour in [Misbehaviour::None, Misbehaviour::OtherCustomersIds] {
        stack.sandbox.state().faults(|faults| faults.brain.misbehaviour = misbehaviour);
        for words in [
            format!("please cancel appointment {}", made["id"]),
            format!("please move appointment {} to {} at 10:00", made["id"], in_words(parlour.day(12))),
        ] {
            stranger.says(&words).unwrap();
            let told = stranger.hears_answer().await.unwrap();
            assert!(!told.text.as_deref().unwrap_or_default().contains("Zoé"), "{:?}", told.text);
            stranger.says("yes").unwrap();
            stranger.hears_answer().await.unwrap();
            let one = parlour.owner.get(&format!("/appointments/{}", made["id"]), 200).await.unwrap();
            assert_eq!((&one["state"], &one["starts_at"]), (&json!("booked"), &made["starts_at"]), "{words}");
        }
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_booked_that_the_customer_has_not_agreed_to() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345610");
    customer.says(&format!("a massage on {} at 17:00 please", in_words(parlour.day(9)))).unwrap();
    assert_proposes(&customer.hears_answer().await.unwrap(), "17:00");
    stack.sandbox.state().faults(|faults| faults.brain.misbehaviour = Misbehaviour::ConfirmUnasked);
    for words in ["no, wait", "yes but at 18:00", "ok how long does it take?", "a massage tomorrow at 10:00"] {
        customer.says(words).unwrap();
        customer.hears_answer().await.unwrap();
        assert_eq!(stack.count(BOOKED).await.unwrap(), 0, "{words}");
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_nobody_looked_up_is_not_said_to_be_free() {
    let stack = TestStack::start().await.unwrap();
    let _parlour = Parlour::open(&stack).await;
    stack.sandbox.state().faults(|faults| faults.brain.misbehaviour = Misbehaviour::ClaimSlot);
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345611");
    for words in ["can I come for a massage tomorrow afternoon?", "kann ich morgen nachmittag zur Massage kommen?"] {
        customer.says(words).unwrap();
        let told = customer.hears_answer().await.unwrap().text.unwrap();
        assert!(!told.contains("15:00"), "{told}");
    }
    assert_eq!(stack.count(BOOKED).await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_arguments_of_a_model_book_nothing() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    stack.sandbox.state().faults(|faults| faults.brain.misbehaviour = Misbehaviour::WrongArguments);
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345612");
    for _ in 0..9 {
        customer.says(&format!("a massage on {} at 17:00 please", in_words(parlour.day(9)))).unwrap();
        customer.hears_answer().await.unwrap();
    }
    assert_eq!(stack.count(BOOKED).await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_answered_in_german_and_in_spanish() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let day = parlour.day(9);
    let next = parlour.day(10);
    let (date, month, year) = dated(day, 1);
    let german = stack.customer(SERVICE_WHATSAPP, "4915112345613");
    german.says(&format!("Hallo, ich hätte gern am {date}. {month} {year} um 17:00 Uhr eine Massage")).unwrap();
    let proposal = german.hears_answer().await.unwrap();
    assert_proposes(&proposal, "17:00");
    assert!(proposal.text.as_deref().unwrap().contains(month), "{:?}", proposal.text);
    german.says("ja, bitte").unwrap();
    assert!(german.hears_answer().await.unwrap().text.unwrap().contains(month));
    assert_eq!(parlour.booked(day).await.len(), 1);

    let (date, month, year) = dated(next, 2);
    let spanish = stack.customer(SERVICE_WHATSAPP, "34612345614");
    spanish.says(&format!("Hola, quiero un masaje el {date} de {month} de {year} a las 17:00, por favor")).unwrap();
    let proposal = spanish.hears_answer().await.unwrap();
    assert_proposes(&proposal, "17:00");
    assert!(proposal.text.as_deref().unwrap().contains(month), "{:?}", proposal.text);
    spanish.says("sí, por favor").unwrap();
    assert!(spanish.hears_answer().await.unwrap().text.unwrap().contains(month));
    assert_eq!(parlour.booked(next).await.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_time_as_last_time_is_the_time_they_had() {
    let stack = TestStack::start().await.unwrap();
    let parlour = Parlour::open(&stack).await;
    let (day, next) = (parlour.day(9), parlour.day(16));
    let customer = stack.customer(SERVICE_WHATSAPP, "33612345615");
    parlour.books(&customer, day).await;
    customer.says(&format!("I'd like one more massage on {}, same time as last time", in_words(next))).unwrap();
    assert_proposes(&customer.hears_answer().await.unwrap(), "17:00");
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    let booked = parlour.booked(next).await;
    assert_eq!(booked.iter().map(|one| &one["starts_at"]).collect::<Vec<_>>(), [&wire(parlour.at(next, 17))]);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_sells_goods_and_time_does_both_in_one_talk() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    set(&owner, "kind", json!("both")).await;
    let parlour = Parlour::of(owner, Tz::Europe__Berlin).await;
    let day = parlour.day(9);
    let customer = stack.customer(WHATSAPP, "491701234616");
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    let order = customer.hears_answer().await.unwrap();
    assert_eq!(buttons(&order).len(), 2, "{:?}", order.text);
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    let orders = parlour.owner.get("/orders?limit=1", 200).await.unwrap();
    assert_eq!((&orders["items"][0]["source"], &orders["items"][0]["lines"][0]["quantity"]), (&json!("agent"), &json!(2)));

    customer.says(&format!("and I'd like to book a massage on {} at 17:00", in_words(day))).unwrap();
    assert_proposes(&customer.hears_answer().await.unwrap(), "17:00");
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    assert_eq!(parlour.booked(day).await.len(), 1);
    let again = parlour.owner.get("/orders?limit=1", 200).await.unwrap();
    assert_eq!(again["items"][0]["order_no"], orders["items"][0]["order_no"], "the second yes ordered nothing");
    stack.stop().await.unwrap();
}
