//! Reminders: due in time, once each whoever looks, anew after a move, and not of what was booked later than that.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::appointments::reminders::{self, Reminder, Skipped};
use frontdesk_core::db::appointments::{self, Appointment, Booking, By, ChangeError, Rescheduling};
use frontdesk_core::db::messages::{self, NewOutbound};
use frontdesk_core::db::{Db, DbError, TxKind, channels, conversations, customers, services, staff};
use frontdesk_core::ids::{AppointmentId, CustomerId, ServiceId};
use frontdesk_core::inbound::{Alias, AliasKind, ChannelKey, Platform, Sender};
use frontdesk_core::jobs::ServiceInput;
use frontdesk_core::tenancy::ShopScope;
use futures_util::future::join_all;
use serde_json::json;

use crate::postgres::{TestDb, at, money, shop};

const NOW: &str = "2026-11-24T07:00:00Z";
/// Two days and two hours later.
const TEN: &str = "2026-11-26T09:00:00Z";

struct Salon {
    scope: ShopScope,
    service: ServiceId,
    customers: [CustomerId; 2],
}

fn sender(phone: &str) -> Sender {
    Sender { aliases: vec![Alias { kind: AliasKind::Phone, value: phone.to_owned() }], name: None, username: None }
}

/// A shop that reminds a day and an hour ahead, which is the default.
async fn salon(db: &Db) -> Salon {
    let scope = shop(db, "salon").await.scope;
    let (service, customers) = db
        .shop_tx(&scope, TxKind::Command, async move |mut tx| {
            let staff = staff::save(&mut tx, None, "Ada", "person", None).await.unwrap().id;
            let input = ServiceInput {
                name: "Cut".to_owned(),
                description: String::new(),
                duration_minutes: 60,
                buffer_before_minutes: 0,
                buffer_after_minutes: 0,
                price: money("45.00"),
                lead_minutes: 0,
                horizon_days: 300,
                slot_minutes: None,
                staff_ids: vec![staff],
            };
            let service = services::save(&mut tx, None, &input).await.unwrap().id;
            let channel = channels::ChannelInput {
                key: ChannelKey { platform: Platform::Whatsapp, external_id: "2044".to_owned() },
                name: "Main".to_owned(),
                phone: None,
                instagram_login: false,
                sealed_token: Some("v1.k.x".to_owned()),
            };
            let channel = channels::save(&mut tx, &channel).await?.0.id;
            let one = customers::resolve(&mut tx, channel, &sender("4915112345678")).await?;
            let two = customers::resolve(&mut tx, channel, &sender("4915112345679")).await?;
            Ok::<_, DbError>((service, [one, two]))
        })
        .await
        .unwrap();
    Salon { scope, service, customers }
}

async fn book(db: &Db, salon: &Salon, customer: Option<CustomerId>, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> Appointment {
    let service = salon.service;
    db.shop_tx(&salon.scope, TxKind::Command, async move |mut tx| {
        let booking = Booking {
            service,
            staff: None,
            starts_at,
            by: By::Staff { anyway: true },
            customer,
            conversation: None,
            customer_name: "Kim".to_owned(),
            contact: None,
            note: String::new(),
            source: "staff",
            actor: "user:1".to_owned(),
            proposal: None,
            request_key: None,
            shown: None,
            busy: &[],
            now,
        };
        Ok::<_, DbError>(appointments::book(&mut tx, &booking).await.unwrap().appointment)
    })
    .await
    .unwrap()
}

async fn due(db: &Db, salon: &Salon, now: DateTime<Utc>) -> Vec<AppointmentId> {
    db.shop_tx(&salon.scope, TxKind::Command, async move |mut tx| reminders::due(&mut tx, now, 100).await).await.unwrap()
}

/// As the job does it; the notice that was given.
async fn remind(db: &Db, salon: &Salon, id: AppointmentId, now: DateTime<Utc>) -> Option<i32> {
    db.shop_tx(&salon.scope, TxKind::Command, async move |mut tx| {
        let Some(due) = reminders::take(&mut tx, id, now).await? else { return Ok(None) };
        reminders::note(&mut tx, &due, Err(Skipped::NoTemplate), now).await?;
        Ok::<_, DbError>(Some(due.minutes))
    })
    .await
    .unwrap()
}

async fn noted(db: &Db, salon: &Salon, id: AppointmentId) -> Vec<(i32, String)> {
    let list: Vec<Reminder> = db.shop_tx(&salon.scope, TxKind::Read, async move |mut tx| reminders::list(&mut tx, id).await).await.unwrap();
    list.into_iter().map(|reminder| (reminder.minutes, reminder.reason.unwrap_or_default())).collect()
}

fn outbound(kind: &'static str) -> NewOutbound {
    NewOutbound { send_key: kind.to_owned(), kind, author: "system", body: kind.to_owned(), content: json!({}) }
}

async fn move_to(db: &Db, salon: &Salon, id: AppointmentId, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> Appointment {
    db.shop_tx(&salon.scope, TxKind::Command, async move |mut tx| {
        let by = By::Staff { anyway: true };
        let to = Rescheduling { staff: None, starts_at, by, customer: None, actor: "user:1", busy: &[], now };
        appointments::reschedule(&mut tx, id, &to).await
    })
    .await
    .unwrap()
    .appointment
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_is_due_in_time_and_given_once_whoever_looks() {
    let test = TestDb::new().await;
    let db = test.app(12).await;
    let salon = salon(&db).await;
    let (ten, now) = (at(TEN), at(NOW));
    let id = book(&db, &salon, Some(salon.customers[0]), ten, now).await.id;
    // Nobody to remind.
    book(&db, &salon, None, ten + TimeDelta::hours(2), now).await;
    let (day, hour) = (ten - TimeDelta::days(1), ten - TimeDelta::hours(1));
    assert!(due(&db, &salon, day - TimeDelta::seconds(1)).await.is_empty());
    assert_eq!(due(&db, &salon, day).await, [id]);
    let given = join_all((0..20).map(|_| remind(&db, &salon, id, day))).await;
    assert_eq!(given.into_iter().flatten().collect::<Vec<_>>(), [1440]);
    assert!(due(&db, &salon, hour - TimeDelta::seconds(1)).await.is_empty());
    assert_eq!((due(&db, &salon, hour).await, remind(&db, &salon, id, hour).await), (vec![id], Some(60)));
    assert!(due(&db, &salon, ten - TimeDelta::seconds(1)).await.is_empty());
    assert_eq!(noted(&db, &salon, id).await, [(1440, "no_template".to_owned()), (60, "no_template".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_that_are_due_only_the_nearest_is_given() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let salon = salon(&db).await;
    let ten = at(TEN);
    let id = book(&db, &salon, Some(salon.customers[0]), ten, at(NOW)).await.id;
    // As after an outage.
    assert_eq!(remind(&db, &salon, id, ten - TimeDelta::minutes(30)).await, Some(60));
    assert_eq!(noted(&db, &salon, id).await, [(1440, "overtaken".to_owned()), (60, "no_template".to_owned())]);
    // A notice that the shop adds later comes too late for it.
    let raw = test.raw(&test.superuser_url()).await;
    raw.batch_execute("UPDATE shops SET reminder_minutes = '{60,120}'").await.unwrap();
    assert_eq!(remind(&db, &salon, id, ten - TimeDelta::minutes(20)).await, None);
    assert_eq!(noted(&db, &salon, id).await.last().unwrap(), &(120, "overtaken".to_owned()));
    raw.batch_execute("UPDATE shops SET reminder_minutes = '{}'").await.unwrap();
    let other = book(&db, &salon, Some(salon.customers[0]), ten + TimeDelta::hours(3), at(NOW)).await.id;
    assert!(due(&db, &salon, ten + TimeDelta::hours(2)).await.is_empty() && noted(&db, &salon, other).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_moved_is_reminded_of_anew_and_what_is_cancelled_booked_late_or_over_is_not() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let salon = salon(&db).await;
    let (ten, now, customer) = (at(TEN), at(NOW), Some(salon.customers[0]));
    let id = book(&db, &salon, customer, ten, now).await.id;
    let day = ten - TimeDelta::days(1);
    assert_eq!(remind(&db, &salon, id, day).await, Some(1440));
    let later = ten + TimeDelta::days(1);
    move_to(&db, &salon, id, later, day).await;
    assert!(due(&db, &salon, day).await.is_empty() && due(&db, &salon, ten - TimeDelta::seconds(1)).await.is_empty());
    assert_eq!(remind(&db, &salon, id, ten).await, Some(1440), "a day before its new time");
    // Moved to a time that is near: whoever has just agreed to it knows.
    move_to(&db, &salon, id, ten + TimeDelta::minutes(50), ten).await;
    assert!(due(&db, &salon, ten + TimeDelta::minutes(40)).await.is_empty());

    let late = book(&db, &salon, customer, later, later - TimeDelta::minutes(50)).await;
    assert!(due(&db, &salon, later - TimeDelta::minutes(1)).await.is_empty(), "booked 50 minutes ahead");
    assert!(due(&db, &salon, late.ends_at).await.is_empty(), "it has begun");
    let gone = book(&db, &salon, customer, later + TimeDelta::hours(5), now).await.id;
    let cancel = async move |mut tx| appointments::cancel(&mut tx, gone, By::Customer, customer, "agent", now).await;
    db.shop_tx(&salon.scope, TxKind::Command, cancel).await.unwrap();
    let near = later + TimeDelta::hours(4) + TimeDelta::minutes(30);
    assert!(due(&db, &salon, near).await.is_empty() && remind(&db, &salon, gone, near).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_is_the_last_word_until_something_else_is_said_and_holds_while_its_time_stands() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let salon = salon(&db).await;
    let (ten, now, customer) = (at(TEN), at(NOW), salon.customers[0]);
    let id = book(&db, &salon, Some(customer), ten, now).await.id;
    let day = ten - TimeDelta::days(1);
    let (conversation, channel, message) = db
        .shop_tx(&salon.scope, TxKind::Command, async move |mut tx| {
            let channel = channels::list(&mut tx).await?[0].id;
            let conversation = conversations::open(&mut tx, channel, customer, Some(now), false).await?.id();
            let due = reminders::take(&mut tx, id, day).await?.unwrap();
            let stored = messages::store_outbound(&mut tx, conversation, channel, None, &outbound("reminder"), None).await?;
            reminders::note(&mut tx, &due, Ok(stored.id()), day).await?;
            Ok::<_, DbError>((conversation, channel, stored.id()))
        })
        .await
        .unwrap();
    let last_word = async |wrote_at: DateTime<Utc>| {
        let read = async move |mut tx| reminders::last_word(&mut tx, conversation, wrote_at).await;
        db.shop_tx(&salon.scope, TxKind::Turn, read).await.unwrap()
    };
    // Long after, and long before, whatever Postgres's clock says.
    let (after, before) = (at("2100-01-01T00:00:00Z"), at("2000-01-01T00:00:00Z"));
    assert_eq!(last_word(after).await, None, "it is not out");
    let sent = async move |mut tx| messages::mark_sent(&mut tx, message, "wamid.1").await;
    db.shop_tx(&salon.scope, TxKind::Turn, sent).await.unwrap();
    assert_eq!((last_word(after).await, last_word(before).await), (Some(id), None));

    let holds = async |now: DateTime<Utc>| {
        db.shop_tx(&salon.scope, TxKind::Turn, async move |mut tx| reminders::holds(&mut tx, message, now).await).await.unwrap()
    };
    assert!(holds(day).await && !holds(ten).await);
    move_to(&db, &salon, id, ten + TimeDelta::hours(1), day).await;
    assert!(!holds(day).await, "it was moved");
    move_to(&db, &salon, id, ten, day).await;
    assert!(holds(day).await);

    let reply = async move |mut tx| messages::store_outbound(&mut tx, conversation, channel, None, &outbound("reply"), None).await;
    db.shop_tx(&salon.scope, TxKind::Turn, reply).await.unwrap();
    assert_eq!(last_word(after).await, None, "something else was said");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_confirms_their_own_appointment_once_and_a_move_takes_that_back() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let salon = salon(&db).await;
    let (ten, now, [mine, other]) = (at(TEN), at(NOW), salon.customers);
    let id = book(&db, &salon, Some(mine), ten, now).await.id;
    let confirm = async |customer: CustomerId, now: DateTime<Utc>| {
        db.shop_tx(&salon.scope, TxKind::Turn, async move |mut tx| appointments::confirm(&mut tx, id, customer, now).await).await
    };
    assert!(matches!(confirm(other, now).await, Err(ChangeError::NotFound)));
    assert!(matches!(confirm(mine, ten).await, Err(ChangeError::NotFound)), "its time has come");
    let confirmed = confirm(mine, now).await.unwrap();
    assert_eq!((confirmed.appointment.confirmed_at, confirmed.appointment.version), (Some(now), 1));
    assert!(confirmed.event.is_some() && confirmed.pending.is_empty());
    let again = confirm(mine, now + TimeDelta::hours(1)).await.unwrap();
    assert!(again.event.is_none() && again.appointment.confirmed_at == Some(now));
    let history = async move |mut tx| appointments::history(&mut tx, id).await;
    let actions: Vec<_> =
        db.shop_tx(&salon.scope, TxKind::Read, history).await.unwrap().into_iter().map(|event| (event.action, event.actor)).collect();
    assert_eq!(actions[1..], [("confirmed".to_owned(), "customer".to_owned())]);
    // A confirmation is no move: the reminder of an hour ahead is given all the same.
    assert_eq!(due(&db, &salon, ten - TimeDelta::days(1)).await, [id]);
    assert_eq!(move_to(&db, &salon, id, ten + TimeDelta::hours(1), now).await.confirmed_at, None);
}
