//! A shop's Google account, kept apart from other shops' and sealed; what was changed at Google is taken over once, and our own change wins.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::appointments::elsewhere::{self, Seen, SeenAs, Taken, Written};
use frontdesk_core::db::appointments::{self, Appointment, Booking, By};
use frontdesk_core::db::integrations::{self, Calendar, Connected, Integration};
use frontdesk_core::db::services;
use frontdesk_core::db::staff;
use frontdesk_core::db::{Db, DbError, TxKind};
use frontdesk_core::ids::{ServiceId, StaffId};
use frontdesk_core::jobs::{JobName, ServiceInput};
use frontdesk_core::tenancy::ShopScope;

use crate::postgres::{TestDb, at, money, shop};

const NOW: &str = "2026-11-24T07:00:00Z";
const TEN: &str = "2026-11-26T09:00:00Z";
const CALENDAR: &str = "owner@shop.example";

fn connected(word: &str) -> Connected {
    Connected {
        connection: word.to_owned(),
        account: CALENDAR.to_owned(),
        scopes: "events".to_owned(),
        refresh_token: "v1.k.refresh".to_owned(),
        access_token: "v1.k.access".to_owned(),
        access_expires_at: at(NOW),
        calendars: vec![Calendar { id: CALENDAR.to_owned(), name: "Mine".to_owned(), primary: true }],
    }
}

async fn connect(db: &Db, scope: &ShopScope, word: &'static str) {
    let write = async move |mut tx| integrations::connect(&mut tx, &connected(word)).await.map_err(|error: DbError| error);
    db.shop_tx(scope, TxKind::Command, write).await.unwrap();
}

async fn found(db: &Db, scope: &ShopScope) -> Option<Integration> {
    let find = async move |mut tx| integrations::find(&mut tx).await.map_err(|error: DbError| error);
    db.shop_tx(scope, TxKind::Read, find).await.unwrap()
}

async fn offered(db: &Db, scope: &ShopScope) -> (ServiceId, StaffId) {
    db.shop_tx(scope, TxKind::Command, async move |mut tx| {
        let staff = staff::save(&mut tx, None, "Ada", "person", None).await.unwrap().id;
        let input = ServiceInput {
            name: "Cut".to_owned(),
            description: String::new(),
            duration_minutes: 60,
            buffer_before_minutes: 0,
            buffer_after_minutes: 10,
            price: money("45.00"),
            lead_minutes: 0,
            horizon_days: 300,
            slot_minutes: None,
            staff_ids: vec![staff],
        };
        let service = services::save(&mut tx, None, &input).await.unwrap().id;
        Ok::<_, DbError>((service, staff))
    })
    .await
    .unwrap()
}

async fn book(db: &Db, scope: &ShopScope, service: ServiceId, starts_at: DateTime<Utc>) -> (Appointment, Vec<JobName>) {
    db.shop_tx(scope, TxKind::Command, async move |mut tx| {
        let booking = Booking {
            service,
            staff: None,
            starts_at,
            by: By::Staff { anyway: true },
            customer: None,
            conversation: None,
            customer_name: "Kim".to_owned(),
            contact: None,
            note: String::new(),
            source: "staff",
            actor: "user:1".to_owned(),
            proposal: None,
            request_key: Some(starts_at.to_rfc3339()),
            shown: None,
            busy: &[],
            now: at(NOW),
        };
        let changed = appointments::book(&mut tx, &booking).await.unwrap();
        let jobs = changed.pending.iter().map(|pending| pending.job).collect();
        Ok::<_, DbError>((changed.appointment, jobs))
    })
    .await
    .unwrap()
}

/// As the job does it: placed, then written.
async fn write(db: &Db, scope: &ShopScope, of: Appointment, etag: &'static str) -> (String, Written) {
    db.shop_tx(scope, TxKind::Turn, async move |mut tx| {
        let event = elsewhere::place(&mut tx, &of, CALENDAR).await?.unwrap();
        let written = elsewhere::written(&mut tx, of.id, CALENDAR, of.version, Some(etag)).await?;
        Ok::<_, DbError>((event, written))
    })
    .await
    .unwrap()
}

async fn take(db: &Db, scope: &ShopScope, event: &str, etag: &str, now: SeenAs) -> Taken {
    let events = vec![event.to_owned()];
    let among = async move |mut tx| elsewhere::among(&mut tx, CALENDAR, &events).await.map_err(|error: DbError| error);
    let known = db.shop_tx(scope, TxKind::Read, among).await.unwrap();
    let against = known.into_iter().next().and_then(|known| known.google_etag);
    take_against(db, scope, event, etag, against, now).await
}

async fn take_against(db: &Db, scope: &ShopScope, event: &str, etag: &str, against: Option<String>, now: SeenAs) -> Taken {
    let seen = Seen { event: event.to_owned(), etag: Some(etag.to_owned()), against, now };
    let take = async move |mut tx| elsewhere::take_over(&mut tx, CALENDAR, &seen, at(NOW)).await.map_err(|error: DbError| error);
    db.shop_tx(scope, TxKind::Command, take).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_seen_by_its_own_shop_alone_and_only_connected_ones_are_looked_at() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let (one, two) = (shop(&db, "One").await.scope, shop(&db, "Two").await.scope);
    connect(&db, &one, "word").await;
    assert!(found(&db, &two).await.is_none());
    assert_eq!(found(&db, &one).await.unwrap().calendar_id.as_deref(), Some(CALENDAR));
    assert_eq!(db.enqueue_calendar_pulls(JobName::PullCalendar, "a").await.unwrap(), 1);
    let break_off = async move |mut tx| {
        let other = integrations::break_off(&mut tx, "another", "invalid_grant").await?;
        let first = integrations::break_off(&mut tx, "word", "invalid_grant").await?;
        Ok::<_, DbError>((other, first, integrations::break_off(&mut tx, "word", "invalid_grant").await?))
    };
    assert_eq!(db.shop_tx(&one, TxKind::Command, break_off).await.unwrap(), (false, true, false), "told once, for this connecting");
    assert_eq!(db.enqueue_calendar_pulls(JobName::PullCalendar, "b").await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_next_look_begins_is_stored_only_by_the_look_that_began_there() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let scope = shop(&db, "One").await.scope;
    connect(&db, &scope, "word").await;
    let advance = async move |mut tx| {
        let standing = integrations::find(&mut tx).await?.unwrap();
        let first = integrations::advance(&mut tx, &standing, "t1", at(NOW)).await?;
        Ok::<_, DbError>((first, integrations::advance(&mut tx, &standing, "t0", at(NOW)).await?))
    };
    assert_eq!(db.shop_tx(&scope, TxKind::Command, advance).await.unwrap(), (true, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_enqueued_with_it_and_only_for_a_shop_that_has_a_calendar() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let scope = shop(&db, "One").await.scope;
    let (service, _) = offered(&db, &scope).await;
    let (made, jobs) = book(&db, &scope, service, at(TEN)).await;
    assert_eq!((made.sync_state.as_str(), jobs.len()), ("none", 0));
    connect(&db, &scope, "word").await;
    let (made, jobs) = book(&db, &scope, service, at(TEN) + TimeDelta::hours(3)).await;
    assert_eq!((made.sync_state.as_str(), jobs), ("pending", vec![JobName::SyncAppointment]));
    let missing =
        async move |mut tx| elsewhere::enqueue_missing(&mut tx, CALENDAR, "look", at(NOW), 10).await.map_err(|error: DbError| error);
    assert_eq!(db.shop_tx(&scope, TxKind::Command, missing).await.unwrap().len(), 2, "also what was booked before");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_at_google_is_taken_over_once_and_ours_wins() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let scope = shop(&db, "One").await.scope;
    let (service, _) = offered(&db, &scope).await;
    connect(&db, &scope, "word").await;
    let (one, _) = book(&db, &scope, service, at(TEN)).await;
    let (two, _) = book(&db, &scope, service, at(TEN) + TimeDelta::hours(4)).await;
    let later = SeenAs::At(at(TEN) + TimeDelta::hours(1), at(TEN) + TimeDelta::minutes(90));
    let event = frontdesk_core::google::event_id(scope.shop(), one.id, one.created_at);
    assert!(matches!(take(&db, &scope, &event, "e9", later).await, Taken::Nothing), "never written: none of ours");

    assert_eq!(write(&db, &scope, one.clone(), "e1").await, (event.clone(), Written::Whole));
    assert!(matches!(take(&db, &scope, &event, "e1", later).await, Taken::Nothing), "our own write comes back");
    let before = Some("e0".to_owned());
    assert!(matches!(take_against(&db, &scope, &event, "e2", before, later).await, Taken::Nothing), "looked at before our last write");
    let Taken::Moved { changed, from } = take(&db, &scope, &event, "e2", later).await else { panic!("not moved") };
    assert_eq!((from, changed.appointment.starts_at), (at(TEN), at(TEN) + TimeDelta::hours(1)));
    assert_eq!(changed.appointment.ends_at, at(TEN) + TimeDelta::minutes(90), "shortened, too");
    assert!(matches!(take(&db, &scope, &event, "e2", later).await, Taken::Nothing), "seen twice");

    let onto = SeenAs::At(two.starts_at, two.ends_at);
    assert!(matches!(take(&db, &scope, &event, "e3", onto).await, Taken::Conflict(_)));
    assert!(matches!(take(&db, &scope, &event, "e3", onto).await, Taken::Nothing), "told once");
    assert!(matches!(take(&db, &scope, &event, "e4", SeenAs::Odd).await, Taken::Conflict(_)));

    // What stands here, and whether it is on its way there.
    let known = async |ids: Vec<String>| {
        let read = async move |mut tx| elsewhere::standing(&mut tx, CALENDAR, &ids).await.map_err(|error: DbError| error);
        db.shop_tx(&scope, TxKind::Read, read).await.unwrap()
    };
    let here = known(vec![event.clone(), "fdanothershops".to_owned()]).await;
    assert_eq!(here.len(), 1);
    assert_eq!((here[0].starts_at, here[0].under_way), (at(TEN) + TimeDelta::hours(1), false));

    // Ours is on its way: what Google shows is older.
    let id = one.id;
    let cancel = async move |mut tx| {
        Ok::<_, DbError>(appointments::cancel(&mut tx, id, By::Staff { anyway: true }, None, "user:1", at(NOW)).await.unwrap())
    };
    let cancelled = db.shop_tx(&scope, TxKind::Command, cancel).await.unwrap();
    assert!(known(vec![event.clone()]).await[0].under_way);
    assert!(matches!(take(&db, &scope, &event, "e5", later).await, Taken::Nothing));
    assert_eq!(write(&db, &scope, cancelled.appointment, "e6").await.1, Written::Whole);

    let (event, _) = write(&db, &scope, two, "f1").await;
    assert!(matches!(take(&db, &scope, &event, "f2", SeenAs::Deleted).await, Taken::Cancelled(_)));
    assert!(matches!(take(&db, &scope, &event, "f2", SeenAs::Deleted).await, Taken::Nothing));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_of_an_older_version_does_not_count_as_the_newer() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let scope = shop(&db, "One").await.scope;
    let (service, _) = offered(&db, &scope).await;
    connect(&db, &scope, "word").await;
    let (made, _) = book(&db, &scope, service, at(TEN)).await;
    let id = made.id;
    let cancel = async move |mut tx| {
        Ok::<_, DbError>(appointments::cancel(&mut tx, id, By::Staff { anyway: true }, None, "user:1", at(NOW)).await.unwrap())
    };
    db.shop_tx(&scope, TxKind::Command, cancel).await.unwrap();
    assert_eq!(write(&db, &scope, made, "e1").await.1, Written::Changed, "there is more to write");
    let find = async move |mut tx| elsewhere::find(&mut tx, id).await.map_err(|error: DbError| error);
    let row = db.shop_tx(&scope, TxKind::Read, find).await.unwrap().unwrap();
    assert!(!row.stands_in(CALENDAR) && row.appointment.sync_state == "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_moved_to_another_calendar_is_no_deletion_in_the_old_one() {
    const OTHER: &str = "salon@group.calendar.example";
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let scope = shop(&db, "One").await.scope;
    let (service, _) = offered(&db, &scope).await;
    connect(&db, &scope, "word").await;
    let (made, _) = book(&db, &scope, service, at(TEN)).await;
    let id = made.id;
    let (event, _) = write(&db, &scope, made.clone(), "e1").await;
    let calendar = Calendar { id: OTHER.to_owned(), name: "Salon".to_owned(), primary: false };
    let pick = async move |mut tx| integrations::pick(&mut tx, &calendar, true).await.map_err(|error: DbError| error);
    assert!(db.shop_tx(&scope, TxKind::Command, pick).await.unwrap());

    let moves = async move |mut tx| {
        assert_eq!(elsewhere::place(&mut tx, &made, CALENDAR).await?, None, "the old one is not picked any more");
        let row = elsewhere::find(&mut tx, id).await?.unwrap();
        assert_eq!(row.left_behind(OTHER).map(|(calendar, _)| calendar), Some(CALENDAR));
        assert!(!row.is_over(at(NOW)) && row.is_over(made.ends_at));
        elsewhere::leave(&mut tx, id, CALENDAR).await
    };
    db.shop_tx(&scope, TxKind::Command, moves).await.unwrap();
    let seen = take_against(&db, &scope, &event, "e2", Some("e1".to_owned()), SeenAs::Deleted).await;
    assert!(matches!(seen, Taken::Nothing), "we are deleting it, not the owner");

    let settle = async move |mut tx| {
        let row = elsewhere::find(&mut tx, id).await?.unwrap();
        elsewhere::place(&mut tx, &row.appointment, OTHER).await?.unwrap();
        let late = elsewhere::written(&mut tx, id, CALENDAR, row.appointment.version, Some("e3")).await?;
        Ok::<_, DbError>((late, elsewhere::written(&mut tx, id, OTHER, row.appointment.version, Some("o1")).await?))
    };
    assert_eq!(db.shop_tx(&scope, TxKind::Command, settle).await.unwrap(), (Written::Elsewhere, Written::Whole));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_nothing_is_connected_is_written_afterwards() {
    let test = TestDb::new().await;
    let db = test.app(4).await;
    let scope = shop(&db, "One").await.scope;
    let (service, _) = offered(&db, &scope).await;
    connect(&db, &scope, "word").await;
    let (made, _) = book(&db, &scope, service, at(TEN)).await;
    let id = made.id;
    write(&db, &scope, made, "e1").await;
    let change = async move |mut tx| {
        integrations::forget(&mut tx).await?;
        let cancelled = appointments::cancel(&mut tx, id, By::Staff { anyway: true }, None, "user:1", at(NOW)).await.unwrap();
        assert!(cancelled.pending.is_empty());
        integrations::connect(&mut tx, &connected("again")).await?;
        elsewhere::enqueue_missing(&mut tx, CALENDAR, "look", at(NOW), 10).await
    };
    assert_eq!(db.shop_tx(&scope, TxKind::Command, change).await.unwrap().len(), 1);
}
