//! What the agent may read of appointments: what the shop offers, the customer's own, and free times. The model names a time in words; when that is, and
//! whether it is free, is found out here.

use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;
use frontdesk_core::availability::{Interval, Slot, local};
use frontdesk_core::db::appointments::{self, Appointment, Busy, By, Offer};
use frontdesk_core::db::proposals::ProposedBooking;
use frontdesk_core::db::services::{self, Service};
use frontdesk_core::db::{Db, DbError, ShopTx, TxKind, messages, shops, staff};
use frontdesk_core::ids::{AppointmentId, ConversationId, CustomerId, ServiceId, StaffId};
use frontdesk_core::money::Money;
use frontdesk_core::tenancy::ShopScope;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::when::{Amount, LikeLast, TimeOfDay, Wish};
use crate::appointments::{BusyTimes, CalendarUnreachable};

/// Services that a model is told of at once.
const SERVICES: i64 = 40;
/// People and rooms whose names are known at once.
const STAFF: i64 = 100;
/// Appointments of a customer that are known at once.
const APPOINTMENTS: i64 = 5;
/// Free times that are offered at once, and the days they are on.
const OFFERED: usize = 6;
const OFFERED_DAYS: usize = 3;
/// Days that are looked at if the customer names none, and beyond those they name if nothing is free on them.
const DAYS: u16 = 14;
/// Days that are looked at in any case.
const MOST_DAYS: u16 = 31;
/// Slots that one look works out at most.
const MOST_SLOTS: usize = 4_000;
/// What was offered longer ago than this is not on the table any more.
const OFFER_LIFE: TimeDelta = TimeDelta::hours(24);

/// A service as a customer may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCard {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// How long it takes.
    pub duration_minutes: i32,
    /// What it costs.
    pub price: Money,
    /// Who performs it.
    pub staff: Vec<(StaffId, String)>,
}

impl ServiceCard {
    fn of(service: Service, names: &[(StaffId, String)]) -> Self {
        let staff = names.iter().filter(|(id, _)| service.staff_ids.contains(id)).cloned().collect();
        let Service { id, name, description, duration_minutes, price, .. } = service;
        Self { id, name, description, duration_minutes, price, staff }
    }

    /// For the model.
    #[must_use]
    pub fn to_json(&self, currency: &str) -> Value {
        let staff: Vec<Value> = self.staff.iter().map(|(id, name)| json!({"staff_id": id, "name": name})).collect();
        json!({"service_id": self.id, "name": self.name, "description": self.description, "duration_minutes": self.duration_minutes,
            "price": self.price.to_string(), "currency": currency, "staff": staff})
    }
}

/// Free times that were shown to a customer; kept with the message that shows them, so that "the one at five" can be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Of what.
    pub service_id: ServiceId,
    /// What it is called.
    pub service_name: String,
    /// With whom, if the customer asked for somebody.
    pub staff_id: Option<StaffId>,
    /// The appointment that is to be moved, if one is.
    pub appointment_id: Option<AppointmentId>,
    /// In order of time.
    pub slots: Vec<Slot>,
    /// Whether they are such as were asked for; else they are the next ones.
    pub as_asked: bool,
}

/// What is known of appointments when a turn begins.
#[derive(Debug, Clone)]
pub struct Book {
    /// The shop's zone.
    pub zone: Tz,
    /// What it offers.
    pub services: Vec<ServiceCard>,
    /// The customer's own appointments that are ahead, the next one first.
    pub ahead: Vec<Appointment>,
    /// The latest one they had or have.
    pub last: Option<Appointment>,
    /// What they were offered before.
    pub offered: Option<Offered>,
}

impl Book {
    /// Reads it, within the shop and for one customer.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn read(
        tx: &mut ShopTx,
        customer: CustomerId,
        conversation: Option<ConversationId>,
        clock: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Self, DbError> {
        let zone = shops::booking(tx).await?.zone;
        let names: Vec<(StaffId, String)> =
            staff::list(tx, false, None, STAFF).await?.into_iter().map(|staff| (staff.id, staff.name)).collect();
        let offered = services::list(tx, false, None, SERVICES).await?;
        let services = offered.into_iter().filter(|service| !service.staff_ids.is_empty()).map(|service| ServiceCard::of(service, &names));
        let services = services.collect();
        let ahead = appointments::for_customer(tx, customer, Some(now), APPOINTMENTS).await?;
        let all = appointments::for_customer(tx, customer, None, APPOINTMENTS).await?;
        let last = all.into_iter().find(|appointment| appointment.state != "cancelled");
        let offered = match conversation {
            // What has another form is of an older version, and no longer on the table.
            Some(conversation) => {
                messages::last_offer(tx, conversation, clock - OFFER_LIFE).await?.and_then(|offer| serde_json::from_value(offer).ok())
            }
            None => None,
        };
        Ok(Self { zone, services, ahead, last, offered })
    }

    /// The service of this id, if it is on offer.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<&ServiceCard> {
        self.services.iter().find(|service| service.id == id)
    }

    /// The customer's own appointment of this id that is ahead; without one, the next.
    #[must_use]
    pub fn appointment(&self, id: Option<AppointmentId>) -> Option<&Appointment> {
        self.ahead.iter().find(|appointment| id.is_none_or(|id| appointment.id == id))
    }

    /// For the model.
    #[must_use]
    pub fn appointment_json(&self, appointment: &Appointment) -> Value {
        let (starts, ends) = (appointment.starts_at.with_timezone(&self.zone), appointment.ends_at.with_timezone(&self.zone));
        json!({"appointment_id": appointment.id, "service_id": appointment.service_id, "service": appointment.service_name,
            "staff_id": appointment.staff_id, "staff": appointment.staff_name, "when": wall(starts), "until": ends.format("%H:%M").to_string()})
    }
}

/// A time on the shop's wall, as models read it best.
#[must_use]
pub fn wall(at: DateTime<Tz>) -> String {
    at.format("%A %Y-%m-%d %H:%M").to_string()
}

/// From when a customer reckons.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The shop's zone.
    pub zone: Tz,
    /// Now.
    pub now: DateTime<Utc>,
    /// The time that is on the table: of the appointment to be moved, or of the open proposal.
    pub standing: Option<DateTime<Utc>>,
    /// Whether it is an appointment that is to be moved.
    pub moves: bool,
    /// When they came last.
    pub last: Option<DateTime<Utc>>,
    /// What they were offered before.
    pub offered: &'a [Slot],
}

/// What a customer's words come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This very time.
    Moment(DateTime<Utc>),
    /// Some time within these.
    Within(Range),
}

/// Times among which a customer would choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The first day.
    pub from: NaiveDate,
    /// How many.
    pub days: u16,
    /// Only on these days of the week; empty: on any.
    pub weekdays: Vec<Weekday>,
    /// Only at this time of day.
    pub time: Option<TimeOfDay>,
}

impl Range {
    fn admits(&self, at: DateTime<Tz>) -> bool {
        let (day, time) = (at.date_naive(), at.time());
        let weekday = self.weekdays.is_empty() || self.weekdays.contains(&day.weekday());
        weekday
            && match self.time {
                None => true,
                Some(TimeOfDay::At(wanted)) => time == wanted,
                // Until midnight and beyond is until the end of the day.
                Some(TimeOfDay::Between(from, to)) => from <= time && (time < to || to <= from),
                Some(TimeOfDay::From(from)) => from <= time,
                Some(TimeOfDay::Until(to)) => time < to,
            }
    }
}

impl Ground<'_> {
    fn wall(&self, at: DateTime<Utc>) -> DateTime<Tz> {
        at.with_timezone(&self.zone)
    }

    fn today(&self) -> NaiveDate {
        self.wall(self.now).date_naive()
    }

    /// The instant of a time on the shop's wall.
    fn at(&self, day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
        let minute = u16::try_from(time.hour() * 60 + time.minute()).unwrap_or(0);
        local::first(self.zone, day, minute)
    }

    fn soon(&self, time: Option<TimeOfDay>) -> Range {
        Range { from: self.today(), days: DAYS, weekdays: Vec::new(), time }
    }

    /// What a wish comes to; without one, the next days.
    #[must_use]
    pub fn resolve(&self, wish: Option<&Wish>) -> Target {
        let Some(wish) = wish else { return Target::Within(self.soon(None)) };
        if let (Some(shift), Some(base)) = (wish.shift, self.standing.or_else(|| self.offered.first().map(|slot| slot.starts_at))) {
            return self.shifted(base, shift.later, shift.by);
        }
        let mut wish = wish.clone();
        if let (Some(like), Some(last)) = (wish.like_last, self.last.map(|last| self.wall(last))) {
            wish.time = wish.time.or(Some(TimeOfDay::At(last.time())));
            if like == LikeLast::DayAndTime && wish.weekdays.is_empty() && wish.days.is_none_or(|(from, to)| from < to) {
                wish.weekdays = vec![last.weekday()];
            }
        }
        let range = self.range(&wish);
        match (range.time, wish.days, self.moves.then_some(self.standing).flatten()) {
            (Some(TimeOfDay::At(time)), Some((day, last)), _) if day == last => Target::Moment(self.at(day, time)),
            (Some(TimeOfDay::At(time)), None, _) if wish.weekdays.is_empty() => self.time_alone(time, range),
            (Some(TimeOfDay::At(time)), ..) => {
                let day = self.days(&range).find(|day| self.at(*day, time) > self.now);
                day.map_or(Target::Within(range), |day| Target::Moment(self.at(day, time)))
            }
            // To another day, at the same time.
            (None, Some((day, last)), Some(standing)) if day == last => Target::Moment(self.at(day, self.wall(standing).time())),
            (None, Some((day, last)), _) if day == last => match self.offered_on(day) {
                [only] => Target::Moment(only.starts_at),
                _ => Target::Within(range),
            },
            _ => Target::Within(range),
        }
    }

    fn days<'r>(&self, range: &'r Range) -> impl Iterator<Item = NaiveDate> + use<'r> {
        range
            .from
            .iter_days()
            .take(usize::from(range.days))
            .filter(|day| range.weekdays.is_empty() || range.weekdays.contains(&day.weekday()))
    }

    fn range(&self, wish: &Wish) -> Range {
        let (from, days) = match wish.days {
            Some((from, to)) => (from, u16::try_from((to - from).num_days() + 1).unwrap_or(1).clamp(1, MOST_DAYS)),
            None => (self.today(), DAYS),
        };
        Range { from, days, weekdays: wish.weekdays.clone(), time: wish.time }
    }

    /// A time without a day: of those that were offered the one at this time, else the day that is on the table, else the next on which it is free.
    fn time_alone(&self, time: NaiveTime, range: Range) -> Target {
        if let Some(slot) = self.offered.iter().find(|slot| self.wall(slot.starts_at).time() == time) {
            return Target::Moment(slot.starts_at);
        }
        match self.standing.or_else(|| self.offered.first().map(|slot| slot.starts_at)) {
            Some(standing) => Target::Moment(self.at(self.wall(standing).date_naive(), time)),
            None => Target::Within(range),
        }
    }

    fn offered_on(&self, day: NaiveDate) -> &[Slot] {
        let of_day = |slot: &&Slot| self.wall(slot.starts_at).date_naive() == day;
        let first = self.offered.iter().position(|slot| of_day(&slot)).unwrap_or(0);
        let many = self.offered.iter().skip(first).take_while(of_day).count();
        self.offered.get(first..first + many).unwrap_or_default()
    }

    fn shifted(&self, base: DateTime<Utc>, later: bool, by: Option<Amount>) -> Target {
        let wall = self.wall(base);
        let (day, time) = (wall.date_naive(), wall.time());
        match by {
            Some(Amount::Minutes(minutes)) => {
                let by = TimeDelta::minutes(minutes.clamp(0, 60 * 24 * 7));
                Target::Moment(if later { base + by } else { base - by })
            }
            Some(Amount::Days(days)) => {
                let by = Days::new(u64::try_from(days.clamp(0, 366)).unwrap_or(0));
                let day = if later { day.checked_add_days(by) } else { day.checked_sub_days(by) };
                Target::Moment(self.at(day.unwrap_or(wall.date_naive()), time))
            }
            None => {
                let after = time.overflowing_add_signed(TimeDelta::minutes(1)).0;
                let time = if later { TimeOfDay::From(after) } else { TimeOfDay::Until(time) };
                Target::Within(Range { from: day, days: 1, weekdays: Vec::new(), time: Some(time) })
            }
        }
    }
}

/// Why free times are not known.
#[derive(Debug, thiserror::Error)]
pub enum DiaryError {
    /// A connected calendar does not say.
    #[error(transparent)]
    Calendar(#[from] CalendarUnreachable),
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// Of what. If it is an appointment that is to be moved, its own time is not in the way.
    pub subject: Subject,
    /// With whom, if that was said.
    pub staff: Option<StaffId>,
}

/// What an appointment is about: so much is on the table when times for it are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The service.
    pub service_id: ServiceId,
    /// What it is called.
    pub service_name: String,
    /// The appointment that is to be moved or cancelled, if one is.
    pub appointment_id: Option<AppointmentId>,
}

impl Subject {
    /// Of a booking that was proposed.
    #[must_use]
    pub fn of(booking: &ProposedBooking, appointment_id: Option<AppointmentId>) -> Self {
        Self { service_id: booking.service_id, service_name: booking.service_name.clone(), appointment_id }
    }

    /// Of an appointment that stands.
    #[must_use]
    pub fn standing(appointment: &Appointment) -> Self {
        let service_name = appointment.service_name.clone();
        Self { service_id: appointment.service_id, service_name, appointment_id: Some(appointment.id) }
    }
}

/// Looks for free times of one shop.
#[derive(Debug, Clone)]
pub struct Diary {
    db: Db,
    scope: ShopScope,
    busy: Arc<dyn BusyTimes>,
    now: DateTime<Utc>,
}

impl Diary {
    /// For one shop, at this moment.
    #[must_use]
    pub fn new(db: Db, scope: ShopScope, busy: Arc<dyn BusyTimes>, now: DateTime<Utc>) -> Self {
        Self { db, scope, busy, now }
    }

    /// Now.
    #[must_use]
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// When staff are busy elsewhere, as far as a booking at this time must know.
    ///
    /// # Errors
    /// When a connected calendar does not say.
    pub async fn busy_around(&self, starts_at: DateTime<Utc>) -> Result<Vec<Busy>, CalendarUnreachable> {
        Ok(self.busy.busy(&self.scope, appointments::look(starts_at)).await?.unwrap_or_default())
    }

    /// Free times within a range; if there are none, the next ones after it begins. `None`: there is no such service, or nobody performs it.
    ///
    /// # Errors
    /// See [`DiaryError`].
    pub async fn free(&self, sought: &Sought, range: &Range) -> Result<Option<Offered>, DiaryError> {
        let (service, moves, staff) = (sought.subject.service_id, sought.subject.appointment_id, sought.staff);
        let zone = self.db.shop_tx(&self.scope, TxKind::Turn, async |mut tx| Ok::<_, DbError>(shops::booking(&mut tx).await?.zone)).await?;
        let (from, to) = local::days(zone, range.from, u64::from(range.days + DAYS) + 2);
        let within = Interval { from, to };
        let elsewhere = self.busy.busy(&self.scope, within).await?.unwrap_or_default();
        // Ours is read after theirs: what is booked meanwhile is in it.
        let read = async move |mut tx| appointments::offer(&mut tx, service, staff, within, moves).await.map_err(|error: DbError| error);
        let offer = self.db.shop_tx(&self.scope, TxKind::Turn, read).await?;
        let Some(mut offer) = offer.filter(|offer| offer.service.active && !offer.staff.is_empty()) else { return Ok(None) };
        offer.add_busy(&elsewhere);
        let (slots, as_asked) = look(&offer, range, self.now);
        Ok(Some(Offered {
            service_id: offer.service.id,
            service_name: sought.subject.service_name.clone(),
            staff_id: staff,
            appointment_id: moves,
            slots: spread(&slots, zone),
            as_asked,
        }))
    }
}

/// Such as were asked for, else at such a time on other days, else any.
fn look(offer: &Offer, range: &Range, now: DateTime<Utc>) -> (Vec<Slot>, bool) {
    let asked = fitting(offer, range, now);
    if !asked.is_empty() {
        return (asked, true);
    }
    let further = Range { days: range.days + DAYS, weekdays: Vec::new(), ..range.clone() };
    let others = fitting(offer, &further, now);
    let others = if others.is_empty() { fitting(offer, &Range { time: None, ..further }, now) } else { others };
    (others, false)
}

fn fitting(offer: &Offer, range: &Range, now: DateTime<Utc>) -> Vec<Slot> {
    if let Some(TimeOfDay::At(time)) = range.time {
        // Any minute may be asked for, also one at which no slot begins.
        let minute = u16::try_from(time.hour() * 60 + time.minute()).unwrap_or(0);
        let days = range.from.iter_days().take(usize::from(range.days)).map(|day| local::first(offer.zone, day, minute));
        let asked = days.filter(|at| range.admits(at.with_timezone(&offer.zone)));
        let free = |at: DateTime<Utc>| {
            offer
                .staff
                .iter()
                .filter(move |calendar| offer.check(calendar.staff, at, By::Customer, now).is_ok())
                .map(move |calendar| Slot { starts_at: at, ends_at: offer.terms.of(at).to, staff: calendar.staff })
        };
        return asked.flat_map(free).collect();
    }
    let all = offer.slots(range.from, range.days, now, MOST_SLOTS);
    all.into_iter().filter(|slot| range.admits(slot.starts_at.with_timezone(&offer.zone))).collect()
}

/// A few of them: on several days, and on each from its beginning to its end. Of those who are free at one time the first stands for all.
fn spread(slots: &[Slot], zone: Tz) -> Vec<Slot> {
    let mut times = slots.to_vec();
    times.dedup_by_key(|slot| slot.starts_at);
    let date = |slot: &Slot| slot.starts_at.with_timezone(&zone).date_naive();
    let days: Vec<&[Slot]> = times.chunk_by(|one, next| date(one) == date(next)).take(OFFERED_DAYS).collect();
    let share = OFFERED / days.len().max(1);
    days.into_iter().flat_map(|day| evenly(day, share)).collect()
}

fn evenly(day: &[Slot], many: usize) -> Vec<Slot> {
    if day.len() <= many {
        return day.to_vec();
    }
    (0..many).filter_map(|at| day.get(at * (day.len() - 1) / many.saturating_sub(1).max(1))).copied().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::when::Shift;

    const BERLIN: Tz = Tz::Europe__Berlin;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn time(hour: u32) -> TimeOfDay {
        TimeOfDay::At(NaiveTime::from_hms_opt(hour, 0, 0).unwrap())
    }

    /// Thursday, 25 March 2027, 10:00 in Berlin; the clock is put forward on the 28th.
    fn ground(offered: &[Slot]) -> Ground<'_> {
        Ground { zone: BERLIN, now: at("2027-03-25T09:00:00Z"), standing: None, moves: false, last: None, offered }
    }

    fn slot(starts_at: &str) -> Slot {
        Slot { starts_at: at(starts_at), ends_at: at(starts_at) + TimeDelta::minutes(45), staff: StaffId(1) }
    }

    #[test]
    fn a_day_and_a_time_are_a_moment_on_the_shops_wall() {
        let wish = Wish { days: Some((day("2027-03-29"), day("2027-03-29"))), time: Some(time(17)), ..Wish::default() };
        assert_eq!(ground(&[]).resolve(Some(&wish)), Target::Moment(at("2027-03-29T15:00:00Z")));
    }

    #[test]
    fn a_time_alone_is_one_of_those_that_were_offered() {
        let offered = [slot("2027-03-26T15:00:00Z"), slot("2027-03-29T15:00:00Z")];
        let wish = Wish { time: Some(time(17)), ..Wish::default() };
        assert_eq!(ground(&offered).resolve(Some(&wish)), Target::Moment(at("2027-03-29T15:00:00Z")));
        // Not offered, but on the first of these days.
        let wish = Wish { time: Some(time(12)), ..Wish::default() };
        assert_eq!(ground(&offered).resolve(Some(&wish)), Target::Moment(at("2027-03-26T11:00:00Z")));
        // Nothing is on the table: any of the next days.
        assert!(matches!(ground(&[]).resolve(Some(&wish)), Target::Within(Range { days: DAYS, .. })));
    }

    #[test]
    fn another_day_for_an_appointment_is_at_the_same_time_also_after_the_clock_was_changed() {
        let moved = Ground { standing: Some(at("2027-03-26T16:00:00Z")), moves: true, ..ground(&[]) };
        let wish = Wish { days: Some((day("2027-03-29"), day("2027-03-29"))), ..Wish::default() };
        assert_eq!(moved.resolve(Some(&wish)), Target::Moment(at("2027-03-29T15:00:00Z")));
        let later = Wish { shift: Some(Shift { later: true, by: Some(Amount::Days(7)) }), ..Wish::default() };
        assert_eq!(moved.resolve(Some(&later)), Target::Moment(at("2027-04-02T15:00:00Z")));
        let hour = Wish { shift: Some(Shift { later: false, by: Some(Amount::Minutes(60)) }), ..Wish::default() };
        assert_eq!(moved.resolve(Some(&hour)), Target::Moment(at("2027-03-26T15:00:00Z")));
    }

    #[test]
    fn the_same_as_last_time_is_the_next_such_weekday_at_that_time() {
        // They came on a Tuesday at 14:30, in winter.
        let known = Ground { last: Some(at("2027-03-02T13:30:00Z")), ..ground(&[]) };
        let wish = Wish { like_last: Some(LikeLast::DayAndTime), ..Wish::default() };
        assert_eq!(known.resolve(Some(&wish)), Target::Moment(at("2027-03-30T12:30:00Z")));
        let next_week = Wish { days: Some((day("2027-04-05"), day("2027-04-11"))), ..wish.clone() };
        assert_eq!(known.resolve(Some(&next_week)), Target::Moment(at("2027-04-06T12:30:00Z")));
        let friday = Wish { days: Some((day("2027-04-09"), day("2027-04-09"))), ..wish };
        assert_eq!(known.resolve(Some(&friday)), Target::Moment(at("2027-04-09T12:30:00Z")));
    }

    #[test]
    fn the_day_of_an_only_offer_is_that_offer() {
        let offered = [slot("2027-03-26T15:00:00Z"), slot("2027-03-29T15:00:00Z"), slot("2027-03-29T16:00:00Z")];
        let friday = Wish { days: Some((day("2027-03-26"), day("2027-03-26"))), ..Wish::default() };
        assert_eq!(ground(&offered).resolve(Some(&friday)), Target::Moment(at("2027-03-26T15:00:00Z")));
        let monday = Wish { days: Some((day("2027-03-29"), day("2027-03-29"))), ..Wish::default() };
        assert!(matches!(ground(&offered).resolve(Some(&monday)), Target::Within(_)));
    }

    proptest! {
        #[test]
        fn an_offer_is_short_in_order_and_only_of_what_is_free(starts in proptest::collection::btree_set(0_i64..20_000, 0..200)) {
            let free: Vec<Slot> = starts.iter().map(|minute| {
                let starts_at = at("2027-03-25T09:00:00Z") + TimeDelta::minutes(*minute);
                Slot { starts_at, ends_at: starts_at, staff: StaffId(1) }
            }).collect();
            let offered = spread(&free, BERLIN);
            prop_assert!(offered.len() <= OFFERED && offered.is_empty() == free.is_empty());
            prop_assert!(offered.iter().all(|slot| free.contains(slot)));
            prop_assert!(offered.windows(2).all(|pair| pair[0].starts_at < pair[1].starts_at));
        }
    }
}
