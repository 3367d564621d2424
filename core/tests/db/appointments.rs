//! Appointments under concurrency: nobody is booked twice, however many want the same time, and whoever moves loses nothing.

use crate::postgres::{TestDb, at, money, shop};
use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::availability::{Interval, NotFree};
use frontdesk_core::db::appointments::{
    self, Appointment, AppointmentFilter, AppointmentState, BookError, Booking, Busy, By, ChangeError, Changed, End, Rescheduling,
};
use frontdesk_core::db::proposals::{self, Agreement, Asked, BookingError, Proposed, Within};
use frontdesk_core::db::services::{self, Service};
use frontdesk_core::db::shops::{self, Presentation};
use frontdesk_core::db::staff::{self, SaveError};
use frontdesk_core::db::{Db, DbError, TxKind, channels, closures, conversations, customers, messages, personal_data, turns};
use frontdesk_core::ids::{AppointmentId, CustomerId, ProposalId, ServiceId, StaffId};
use frontdesk_core::inbound::{Alias, AliasKind, ChannelKey, Platform, Sender};
use frontdesk_core::jobs::ServiceInput;
use frontdesk_core::tenancy::ShopScope;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use serde_json::json;

/// A Tuesday.
const NOW: &str = "2026-11-24T07:00:00Z";
/// Two days later, ten o'clock in Berlin.
const TEN: &str = "2026-11-26T09:00:00Z";

/// A shop in Berlin, open every day from nine to five, with a service of an hour and ten minutes after it, and two who perform it.
struct Studio {
    scope: ShopScope,
    service: ServiceId,
    staff: [StaffId; 2],
}

fn input(name: &str, staff: &[StaffId]) -> ServiceInput {
    ServiceInput {
        name: name.to_owned(),
        description: String::new(),
        duration_minutes: 60,
        buffer_before_minutes: 0,
        buffer_after_minutes: 10,
        price: money("45.00"),
        lead_minutes: 60,
        horizon_days: 30,
        slot_minutes: None,
        staff_ids: staff.to_vec(),
    }
}

async fn studio(db: &Db, name: &str) -> Studio {
    let scope = shop(db, name).await.scope;
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), json!(["09:00-17:00"])));
    let hours = Some(days.into_iter().collect::<serde_json::Map<_, _>>().into());
    let (service, staff) = db
        .shop_tx(&scope, TxKind::Command, async move |mut tx| {
            shops::present(&mut tx, &Presentation { hours, ..Presentation::default() }).await?;
            let mut team = Vec::new();
            for name in ["Ada", "Ben"] {
                team.push(staff::save(&mut tx, None, name, "person", None).await.unwrap().id);
            }
            let service = services::save(&mut tx, None, &input("Cut", &team)).await.unwrap();
            Ok::<_, DbError>((service.id, [team[0], team[1]]))
        })
        .await
        .unwrap();
    Studio { scope, service, staff }
}

fn wanted(studio: &Studio, staff: Option<StaffId>, starts_at: DateTime<Utc>) -> Booking<'static> {
    Booking {
        service: studio.service,
        staff,
        starts_at,
        by: By::Customer,
        customer: None,
        conversation: None,
        customer_name: "Carla".to_owned(),
        contact: None,
        note: String::new(),
        source: "staff",
        actor: "user:1".to_owned(),
        proposal: None,
        request_key: None,
        shown: None,
        busy: &[],
        now: at(NOW),
    }
}

async fn book(db: &Db, scope: ShopScope, booking: Booking<'static>) -> Result<Changed, BookError> {
    db.shop_tx(&scope, TxKind::Command, async move |mut tx| appointments::book(&mut tx, &booking).await).await
}

async fn booked(db: &Db, studio: &Studio, staff: usize, starts_at: &str) -> Appointment {
    book(db, studio.scope, wanted(studio, Some(studio.staff[staff]), at(starts_at))).await.unwrap().appointment
}

fn to(starts_at: &str, staff: Option<StaffId>, by: By) -> Rescheduling<'static> {
    Rescheduling { staff, starts_at: at(starts_at), by, customer: None, actor: "user:1", busy: &[], now: at(NOW) }
}

async fn reschedule(db: &Db, scope: ShopScope, id: AppointmentId, to: Rescheduling<'static>) -> Result<Changed, ChangeError> {
    db.shop_tx(&scope, TxKind::Command, async move |mut tx| appointments::reschedule(&mut tx, id, &to).await).await
}

async fn listed(db: &Db, scope: ShopScope, filter: AppointmentFilter) -> Vec<Appointment> {
    db.shop_tx(&scope, TxKind::Read, async move |mut tx| appointments::list(&mut tx, &filter, 200).await).await.unwrap()
}

/// By raw SQL, as a superuser: no two that stand of one person overlap, buffers included.
async fn overlaps(db: &TestDb) -> i64 {
    let raw = db.raw(&db.superuser_url()).await;
    let query = "SELECT count(*) FROM appointments a JOIN appointments b ON a.shop_id = b.shop_id AND a.staff_id = b.staff_id AND a.id < b.id \
                 WHERE a.state = 'booked' AND b.state = 'booked' AND a.blocked && b.blocked";
    raw.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_who_want_one_slot_exactly_one_has_it_and_the_others_hear_what_is_free() {
    let db = TestDb::new().await;
    let app = db.app(24).await;
    let studio = studio(&app, "rush").await;
    let (scope, ada) = (studio.scope, studio.staff[0]);
    let tries = (0..1000).map(|n| {
        // Some a little later: they would overlap, too.
        let starts_at = at(TEN) + TimeDelta::minutes((n % 3) * 15);
        let booking = Booking { request_key: Some(format!("k{n}")), ..wanted(&studio, Some(ada), starts_at) };
        book(&app, scope, booking)
    });
    let ended: Vec<_> = stream::iter(tries).buffer_unordered(48).collect().await;
    let (mut won, mut lost) = (0, 0);
    for end in ended {
        match end {
            Ok(_) => won += 1,
            Err(BookError::SlotTaken { next }) => {
                lost += 1;
                assert!(!next.is_empty() && next.len() <= 5);
                assert!(next.iter().all(|slot| slot.staff == ada && slot.starts_at >= at("2026-11-26T10:00:00Z")), "{next:?}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((won, lost), (1, 999));
    assert_eq!(overlaps(&db).await, 0);
    assert_eq!(listed(&app, scope, AppointmentFilter::default()).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_free_is_taken_until_nobody_is() {
    let db = TestDb::new().await;
    let app = db.app(8).await;
    let studio = studio(&app, "anybody").await;
    let all = join_all((0..8).map(|_| book(&app, studio.scope, wanted(&studio, None, at(TEN))))).await;
    let mut with: Vec<StaffId> = all.iter().filter_map(|end| end.as_ref().ok()).map(|changed| changed.appointment.staff_id).collect();
    with.sort_unstable();
    assert_eq!(with, studio.staff);
    assert_eq!(overlaps(&db).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_constraint_alone_keeps_two_apart() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "constraint").await;
    let appointment = booked(&app, &studio, 0, TEN).await;
    let raw = db.raw(&db.superuser_url()).await;
    // Beside all code of ours, one minute into the buffer after it.
    let copy = |minutes: i32, state: &str| {
        format!(
            "INSERT INTO appointments (shop_id, service_id, service_name, staff_id, starts_at, ends_at, blocked, price, source, state) \
             SELECT shop_id, service_id, service_name, staff_id, starts_at + interval '{minutes} min', ends_at + interval '{minutes} min', \
             tstzrange(starts_at + interval '{minutes} min', ends_at + interval '{minutes} min'), price, source, '{state}' FROM appointments WHERE id = {}",
            appointment.id
        )
    };
    let refused = raw.batch_execute(&copy(69, "booked")).await.unwrap_err();
    assert!(refused.as_db_error().is_some_and(|error| error.constraint() == Some("appointments_no_overlap")), "{refused}");
    raw.batch_execute(&copy(69, "cancelled")).await.unwrap();
    raw.batch_execute(&copy(70, "booked")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn buffers_belong_to_an_appointment_and_its_end_does_not_wait_for_them() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "buffers").await;
    let first = booked(&app, &studio, 0, TEN).await;
    assert_eq!((first.ends_at, first.price, first.staff_name.as_str()), (at("2026-11-26T10:00:00Z"), money("45.00"), "Ada"));
    let close = book(&app, studio.scope, wanted(&studio, Some(studio.staff[0]), at("2026-11-26T10:05:00Z"))).await;
    assert!(matches!(close, Err(BookError::SlotTaken { .. })), "{close:?}");
    let before = book(&app, studio.scope, wanted(&studio, Some(studio.staff[0]), at("2026-11-26T08:00:00Z"))).await;
    assert!(matches!(before, Err(BookError::SlotTaken { .. })), "its own buffer after it: {before:?}");
    booked(&app, &studio, 0, "2026-11-26T10:10:00Z").await;
    assert_eq!(overlaps(&db).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_closed_too_soon_too_far_or_busy_elsewhere_is_refused_by_name() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "refusals").await;
    let christmas = ("2026-12-05".parse().unwrap(), "2026-12-06".parse().unwrap());
    let scope = studio.scope;
    app.shop_tx(&scope, TxKind::Command, async move |mut tx| closures::insert(&mut tx, None, christmas, None, "closed").await)
        .await
        .unwrap();
    let why = async |starts_at: &str| match book(&app, scope, wanted(&studio, None, at(starts_at))).await {
        Err(BookError::NotBookable { why, .. }) => why,
        other => panic!("{starts_at}: {other:?}"),
    };
    assert_eq!(why("2026-11-24T07:59:00Z").await, NotFree::TooSoon);
    assert_eq!(why("2026-12-25T09:00:00Z").await, NotFree::TooFar);
    assert_eq!(why("2026-11-26T15:30:00Z").await, NotFree::Closed, "it would end after five");
    assert_eq!(why("2026-12-05T09:00:00Z").await, NotFree::Closed);
    // Everybody is busy in a calendar elsewhere; staff may book it anyway, but not over one of ours.
    static BUSY: std::sync::LazyLock<[Busy; 1]> = std::sync::LazyLock::new(|| {
        [Busy { staff: None, at: Interval { from: "2026-11-26T09:30:00Z".parse().unwrap(), to: "2026-11-26T09:31:00Z".parse().unwrap() } }]
    });
    let elsewhere = |by| Booking { by, busy: &*BUSY, ..wanted(&studio, Some(studio.staff[1]), at(TEN)) };
    for by in [By::Customer, By::Staff { anyway: false }] {
        assert!(matches!(book(&app, scope, elsewhere(by)).await, Err(BookError::SlotTaken { .. })));
    }
    book(&app, scope, elsewhere(By::Staff { anyway: true })).await.unwrap();
    assert!(matches!(book(&app, scope, elsewhere(By::Staff { anyway: true })).await, Err(BookError::SlotTaken { .. })));
    let early = Booking { by: By::Staff { anyway: false }, ..wanted(&studio, None, at("2026-11-24T08:00:00Z")) };
    book(&app, scope, early).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_books_once() {
    let db = TestDb::new().await;
    let app = db.app(8).await;
    let studio = studio(&app, "repeat").await;
    let again = || Booking { request_key: Some("k1".to_owned()), ..wanted(&studio, None, at(TEN)) };
    let all = join_all((0..8).map(|_| book(&app, studio.scope, again()))).await;
    let made: Vec<Changed> = all.into_iter().map(Result::unwrap).collect();
    assert!(made.iter().all(|changed| changed.appointment == made[0].appointment));
    assert_eq!(made.iter().filter(|changed| changed.event.is_some()).count(), 1, "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_move_to_one_time_do_not_both_get_there_and_the_other_stays_where_it_was() {
    let db = TestDb::new().await;
    let app = db.app(16).await;
    let studio = studio(&app, "moves").await;
    let mut all = Vec::new();
    for (day, staff) in (27..=30).flat_map(|day| [(day, 0), (day, 1)]) {
        all.push(booked(&app, &studio, staff, &format!("2026-11-{day}T09:00:00Z")).await);
    }
    let (scope, ada) = (studio.scope, studio.staff[0]);
    let moves = all.iter().map(|appointment| reschedule(&app, scope, appointment.id, to(TEN, Some(ada), By::Customer)));
    let booking = book(&app, scope, wanted(&studio, Some(ada), at(TEN)));
    let (moved, booking) = tokio::join!(join_all(moves), booking);
    let there = moved.iter().filter(|end| end.is_ok()).count() + usize::from(booking.is_ok());
    assert_eq!(there, 1, "{moved:?} {booking:?}");
    for end in moved.iter().filter_map(|end| end.as_ref().err()) {
        // The constraint's word against somebody who books at this very moment is to be heard again, and a job does.
        assert!(matches!(end, ChangeError::SlotTaken { .. } | ChangeError::Db(DbError::Conflict)), "{end:?}");
    }
    assert_eq!(overlaps(&db).await, 0);
    let now = listed(&app, scope, AppointmentFilter { state: Some(AppointmentState::Booked), ..AppointmentFilter::default() }).await;
    assert_eq!(now.len(), all.len() + usize::from(booking.is_ok()), "nobody has lost theirs");
    let stayed = all.iter().filter(|before| now.iter().any(|after| after.id == before.id && after.starts_at == before.starts_at)).count();
    assert_eq!(stayed + moved.iter().filter(|end| end.is_ok()).count(), all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_keeps_length_and_price_and_frees_the_old_time() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "keeps").await;
    let (scope, service, staff) = (studio.scope, studio.service, studio.staff);
    let first = booked(&app, &studio, 0, TEN).await;
    let dearer = ServiceInput { duration_minutes: 30, price: money("60.00"), ..input("Cut", &staff) };
    let saved: Result<Service, services::SaveError> =
        app.shop_tx(&scope, TxKind::Command, async move |mut tx| services::save(&mut tx, Some(service), &dearer).await).await;
    assert_eq!(saved.unwrap().duration_minutes, 30);
    // Into its own old time: it does not stand in its own way.
    let moved = reschedule(&app, scope, first.id, to("2026-11-26T09:30:00Z", None, By::Customer)).await.unwrap();
    let row = &moved.appointment;
    assert_eq!(
        (row.starts_at, row.ends_at, row.price, row.version),
        (at("2026-11-26T09:30:00Z"), at("2026-11-26T10:30:00Z"), money("45.00"), 2)
    );
    let again = reschedule(&app, scope, first.id, to("2026-11-26T09:30:00Z", None, By::Customer)).await.unwrap();
    assert_eq!((again.appointment.version, again.event), (2, None), "it is there already");
    let other = reschedule(&app, scope, first.id, to("2026-11-26T13:00:00Z", Some(staff[1]), By::Staff { anyway: false })).await.unwrap();
    assert_eq!((other.appointment.staff_id, other.appointment.staff_name.as_str()), (staff[1], "Ben"));
    booked(&app, &studio, 0, "2026-11-26T09:30:00Z").await;
    let history = app.shop_tx(&scope, TxKind::Read, async move |mut tx| appointments::history(&mut tx, first.id).await).await.unwrap();
    let seen: Vec<_> =
        history.iter().map(|event| (event.action.as_str(), event.from_starts_at, event.to_starts_at, event.to_staff_id)).collect();
    let (ten, half, one) = (at(TEN), at("2026-11-26T09:30:00Z"), at("2026-11-26T13:00:00Z"));
    assert_eq!(seen, [("booked", None, ten, staff[0]), ("moved", Some(ten), half, staff[0]), ("moved", Some(half), one, staff[1])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_change_in_time_and_staff_always_and_what_ended_stays_so() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "policy").await;
    let scope = studio.scope;
    let row = booked(&app, &studio, 0, TEN).await;
    let cancel = async |by, now: &str| {
        let now = at(now);
        app.shop_tx(&scope, TxKind::Command, async move |mut tx| appointments::cancel(&mut tx, row.id, by, None, "x", now).await).await
    };
    // Two hours' notice, unless the shop says otherwise.
    let late = cancel(By::Customer, "2026-11-26T07:00:01Z").await.unwrap_err();
    assert!(matches!(late, ChangeError::TooLate { until } if until == at("2026-11-26T07:00:00Z")), "{late:?}");
    let moving = Rescheduling { now: at("2026-11-26T07:30:00Z"), ..to("2026-11-27T09:00:00Z", None, By::Customer) };
    assert!(matches!(reschedule(&app, scope, row.id, moving).await, Err(ChangeError::TooLate { .. })));
    let cancelled = cancel(By::Staff { anyway: false }, "2026-11-26T08:59:00Z").await.unwrap();
    assert_eq!(cancelled.appointment.state, "cancelled");
    assert!(cancel(By::Customer, "2026-11-26T08:59:30Z").await.unwrap().event.is_none(), "it is cancelled");
    assert!(matches!(
        reschedule(&app, scope, row.id, to("2026-11-27T09:00:00Z", None, By::Customer)).await,
        Err(ChangeError::NotAllowed { .. })
    ));
    let next = booked(&app, &studio, 0, TEN).await;
    let end = async |end| {
        app.shop_tx(&scope, TxKind::Command, async move |mut tx| appointments::end(&mut tx, next.id, end, "x", at(TEN)).await).await
    };
    assert_eq!(end(End::NoShow).await.unwrap().appointment.state, "no_show");
    assert!(matches!(end(End::Done).await, Err(ChangeError::NotAllowed { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_shops_appointments_are_not_there() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let (ours, theirs) = (studio(&app, "ours").await, studio(&app, "theirs").await);
    let row = booked(&app, &ours, 0, TEN).await;
    let find = async move |mut tx| appointments::find(&mut tx, row.id).await;
    assert!(app.shop_tx(&theirs.scope, TxKind::Read, find).await.unwrap().is_none());
    assert!(listed(&app, theirs.scope, AppointmentFilter::default()).await.is_empty());
    let moved = reschedule(&app, theirs.scope, row.id, to("2026-11-27T09:00:00Z", None, By::Staff { anyway: true })).await;
    assert!(matches!(moved, Err(ChangeError::NotFound)));
    let strange = Booking { service: ours.service, ..wanted(&theirs, None, at(TEN)) };
    assert!(matches!(book(&app, theirs.scope, strange).await, Err(BookError::NoSuchService)));
    let strange = wanted(&theirs, Some(ours.staff[0]), at(TEN));
    assert!(matches!(book(&app, theirs.scope, strange).await, Err(BookError::NoSuchStaff)));
    // The same time of the same hour is free in each.
    booked(&app, &theirs, 0, TEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_by_the_shops_days_and_paged_in_order() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "lists").await;
    let scope = studio.scope;
    let mut made = Vec::new();
    for (staff, starts_at) in
        [(0, "2026-11-26T09:00:00Z"), (1, "2026-11-26T09:00:00Z"), (0, "2026-11-27T09:00:00Z"), (1, "2026-11-28T09:00:00Z")]
    {
        made.push(booked(&app, &studio, staff, starts_at).await.id);
    }
    let ids = async |filter| listed(&app, scope, filter).await.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(AppointmentFilter::default()).await, made);
    let day = Some("2026-11-27".parse().unwrap());
    assert_eq!(ids(AppointmentFilter { from: day, to: day, ..AppointmentFilter::default() }).await, [made[2]]);
    assert_eq!(ids(AppointmentFilter { staff: Some(studio.staff[1]), ..AppointmentFilter::default() }).await, [made[1], made[3]]);
    assert_eq!(ids(AppointmentFilter { after: Some(made[1]), ..AppointmentFilter::default() }).await, [made[2], made[3]]);
    let back = AppointmentFilter { after: Some(made[2]), descending: true, ..AppointmentFilter::default() };
    assert_eq!(ids(back).await, [made[1], made[0]]);
    let refused = app.shop_tx(&scope, TxKind::Command, async move |mut tx| staff::archive(&mut tx, studio.staff[0], at(NOW)).await).await;
    assert!(matches!(refused, Err(SaveError::Booked { appointments: 2 })), "{refused:?}");
}

/// A customer in a conversation, and a turn of it.
async fn talk(db: &Db, scope: &ShopScope) -> (Within, frontdesk_core::ids::ChannelId) {
    let input = channels::ChannelInput {
        key: ChannelKey { platform: Platform::Whatsapp, external_id: format!("ext-{}", scope.shop()) },
        name: "Main".to_owned(),
        phone: None,
        instagram_login: false,
        sealed_token: Some("v1.k.x".to_owned()),
    };
    let sender = Sender {
        aliases: vec![Alias { kind: AliasKind::Phone, value: "4915112345678".to_owned() }],
        name: Some("Carla".to_owned()),
        username: None,
    };
    db.shop_tx(scope, TxKind::Command, async move |mut tx| {
        let channel = channels::save(&mut tx, &input).await?.0.id;
        let customer = customers::resolve(&mut tx, channel, &sender).await?;
        let row = conversations::open(&mut tx, channel, customer, Some(at(NOW)), false).await?;
        let turn = turns::begin(&mut tx, row.id(), 1, 0, at(NOW)).await?;
        Ok::<_, DbError>((Within { conversation: row.id(), turn: turn.id(), customer }, channel))
    })
    .await
    .unwrap()
}

async fn propose(db: &Db, scope: ShopScope, within: Within, asked: Asked) -> Result<Proposed, BookingError> {
    db.shop_tx(&scope, TxKind::Turn, async move |mut tx| proposals::propose_booking(&mut tx, &within, asked, &[], at(NOW)).await).await
}

/// The message that shows it is out.
async fn show(db: &Db, scope: ShopScope, within: Within, channel: frontdesk_core::ids::ChannelId, proposal: ProposalId) {
    let message = messages::NewOutbound {
        send_key: format!("p{proposal}"),
        kind: "proposal",
        author: "ai",
        body: "Shall I book it?".to_owned(),
        content: json!({}),
    };
    db.shop_tx(&scope, TxKind::Turn, async move |mut tx| {
        let row = messages::store_outbound(&mut tx, within.conversation, channel, Some(within.turn), &message, None).await?;
        proposals::shown_by(&mut tx, proposal, row.id()).await?;
        proposals::mark_shown(&mut tx, row.id(), at("2026-11-24T07:00:05Z")).await
    })
    .await
    .unwrap();
}

fn agreement(within: Within, proposal: ProposalId, accepted_at: &str) -> Agreement {
    Agreement {
        conversation: within.conversation,
        proposal,
        customer: within.customer,
        customer_name: "Carla".to_owned(),
        contact: Some("+4915112345678".to_owned()),
        accepted_at: at(accepted_at),
    }
}

async fn confirm(db: &Db, scope: ShopScope, agreement: Agreement) -> Result<Changed, BookingError> {
    db.shop_tx(&scope, TxKind::Turn, async move |mut tx| {
        // A refusal closes the proposal: that stands, as it does in a turn.
        Ok::<_, DbError>(proposals::confirm_booking(&mut tx, &agreement, &[], at("2026-11-24T07:01:00Z")).await)
    })
    .await
    .unwrap()
}

const BEFORE: &str = "2026-11-24T07:00:04Z";
const AFTER: &str = "2026-11-24T07:00:30Z";

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_comes_only_of_a_proposal_that_was_shown_before_it_was_agreed_to() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "proposals").await;
    let scope = studio.scope;
    let (within, channel) = talk(&app, &scope).await;
    let asked = Asked::Book { service: studio.service, staff: None, starts_at: at(TEN) };
    let first = propose(&app, scope, within, asked).await.unwrap();
    assert_eq!(
        (first.booking.price, first.booking.staff_id, first.booking.ends_at),
        (money("45.00"), studio.staff[0], at("2026-11-26T10:00:00Z"))
    );
    assert!(matches!(confirm(&app, scope, agreement(within, first.id, AFTER)).await, Err(BookingError::NotShown)), "it was not shown");
    show(&app, scope, within, channel, first.id).await;
    assert!(matches!(confirm(&app, scope, agreement(within, first.id, BEFORE)).await, Err(BookingError::NotShown)), "agreed before");
    assert!(listed(&app, scope, AppointmentFilter::default()).await.is_empty());
    // Another one takes its place: a yes to the first is a yes to nothing.
    let second = propose(&app, scope, within, asked).await.unwrap();
    show(&app, scope, within, channel, second.id).await;
    assert!(matches!(confirm(&app, scope, agreement(within, first.id, AFTER)).await, Err(BookingError::Gone)));
    let made = confirm(&app, scope, agreement(within, second.id, AFTER)).await.unwrap().appointment;
    assert_eq!((made.customer_id, made.conversation_id, made.source.as_str()), (Some(within.customer), Some(within.conversation), "agent"));
    assert!(matches!(confirm(&app, scope, agreement(within, second.id, AFTER)).await, Err(BookingError::Gone)), "once");
    assert_eq!(listed(&app, scope, AppointmentFilter::default()).await.len(), 1);

    // Moved and cancelled in the same way, and by nobody else.
    let asked = Asked::Move { appointment: made.id, staff: None, starts_at: at("2026-11-27T09:00:00Z") };
    let strange = propose(&app, scope, Within { customer: CustomerId(within.customer.0 + 1), ..within }, asked).await;
    assert!(matches!(strange, Err(BookingError::Change(ChangeError::NotFound))), "{strange:?}");
    let moving = propose(&app, scope, within, asked).await.unwrap();
    show(&app, scope, within, channel, moving.id).await;
    let moved = confirm(&app, scope, agreement(within, moving.id, AFTER)).await.unwrap().appointment;
    assert_eq!((moved.id, moved.starts_at), (made.id, at("2026-11-27T09:00:00Z")));
    let cancelling = propose(&app, scope, within, Asked::Cancel { appointment: made.id }).await.unwrap();
    show(&app, scope, within, channel, cancelling.id).await;
    assert_eq!(confirm(&app, scope, agreement(within, cancelling.id, AFTER)).await.unwrap().appointment.state, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_is_what_is_booked_or_nothing_is() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "changed").await;
    let scope = studio.scope;
    let (within, channel) = talk(&app, &scope).await;
    let asked = Asked::Book { service: studio.service, staff: Some(studio.staff[0]), starts_at: at(TEN) };
    let proposed = propose(&app, scope, within, asked).await.unwrap();
    show(&app, scope, within, channel, proposed.id).await;
    let (service, staff) = (studio.service, studio.staff);
    let price = async |price: &str| {
        let input = ServiceInput { price: money(price), ..input("Cut", &staff) };
        app.shop_tx(&scope, TxKind::Command, async move |mut tx| services::save(&mut tx, Some(service), &input).await).await.unwrap();
    };
    price("46.00").await;
    assert!(matches!(confirm(&app, scope, agreement(within, proposed.id, AFTER)).await, Err(BookingError::ServiceChanged)));
    price("45.00").await;
    assert!(matches!(confirm(&app, scope, agreement(within, proposed.id, AFTER)).await, Err(BookingError::Gone)), "it is closed");
    // Nothing is held for whoever was asked: another one is quicker.
    let proposed = propose(&app, scope, within, asked).await.unwrap();
    show(&app, scope, within, channel, proposed.id).await;
    booked(&app, &studio, 0, TEN).await;
    let late = confirm(&app, scope, agreement(within, proposed.id, AFTER)).await.unwrap_err();
    assert!(matches!(&late, BookingError::Book(BookError::SlotTaken { .. })) && !late.next().is_empty(), "{late:?}");
    let again = propose(&app, scope, within, asked).await.unwrap_err();
    assert!(matches!(again, BookingError::Book(BookError::SlotTaken { .. })), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_is_forgotten_leaves_a_time_without_a_name() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let studio = studio(&app, "forgotten").await;
    let scope = studio.scope;
    let (within, _) = talk(&app, &scope).await;
    let booking = Booking {
        customer: Some(within.customer),
        contact: Some("+49151".to_owned()),
        note: "allergic".to_owned(),
        ..wanted(&studio, None, at(TEN))
    };
    let row = book(&app, scope, booking).await.unwrap().appointment;
    let export = async move |mut tx| personal_data::export(&mut tx, within.customer).await;
    let known = app.shop_tx(&scope, TxKind::Export, export).await.unwrap().unwrap();
    assert_eq!((&known.appointments[0]["name"], &known.appointments[0]["note"]), (&json!("Carla"), &json!("allergic")));
    app.shop_tx(&scope, TxKind::Command, async move |mut tx| personal_data::erase(&mut tx, within.customer).await).await.unwrap();
    let left = app.shop_tx(&scope, TxKind::Read, async move |mut tx| appointments::find(&mut tx, row.id).await).await.unwrap().unwrap();
    assert_eq!((left.customer_name.as_str(), left.contact, left.note.as_str(), left.state.as_str()), ("", None, "", "booked"));
    let again = Booking { customer: Some(within.customer), ..wanted(&studio, Some(studio.staff[1]), at(TEN)) };
    assert!(matches!(book(&app, scope, again).await, Err(BookError::NoSuchCustomer)));
}
