//! What a customer says to a reminder: that they come, that they do not, or that another time suits them better. By a tap, or in words that are a clear yes or
//! no to the last thing that was said.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::appointments::{self, Appointment, ChangeError, reminders};
use frontdesk_core::db::proposals::{Asked, Proposal};
use frontdesk_core::db::{DbError, ShopTx, TxKind, shops};
use frontdesk_core::ids::AppointmentId;
use frontdesk_core::inbound::Content;

use super::compose::Tap;
use super::decide::{Decider, Made};
use super::{Reply, Turn};
use crate::App;
use crate::agent::Course;
use crate::agent::judge::{Verdict, judge};
use crate::agent::texts::bookings::{BookingText, Refusal, Shown};
use crate::agent::texts::reminders::ReminderText;
use crate::diary::{Diary, DiaryError, Range, Sought, Subject};
use crate::runner::JobError;

/// Days that are looked at for another time.
const DAYS: u16 = 14;
/// A calendar is given this long: the answer is due.
const PATIENCE: Duration = Duration::from_millis(1_800);

/// A button under a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemindedTap {
    /// They come.
    Confirm,
    /// They do not.
    Cancel,
    /// Another time suits them better.
    Later,
}

impl RemindedTap {
    const ALL: [Self; 3] = [Self::Confirm, Self::Cancel, Self::Later];

    const fn verb(self) -> &'static str {
        match self {
            Self::Confirm => "remind_confirm",
            Self::Cancel => "remind_cancel",
            Self::Later => "remind_later",
        }
    }

    /// What the platform gives back when the button is tapped.
    pub(crate) fn payload(self, appointment: AppointmentId) -> String {
        format!("{}:{appointment}", self.verb())
    }

    pub(super) fn read(verb: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tap| tap.verb() == verb)
    }
}

/// The course, if the turn answers a reminder.
pub(super) async fn answered(app: &App, turn: &Turn, proposal: Option<&Proposal>, words: &str) -> Result<Option<Course>, JobError> {
    let Some((said, appointment)) = meant(app, turn, proposal, words).await? else { return Ok(None) };
    let (customer, now) = (turn.conversation.customer(), app.clock.now());
    let read = async move |mut tx: ShopTx| {
        let found = appointments::find(&mut tx, appointment).await?;
        Ok::<_, DbError>((found, shops::booking(&mut tx).await?))
    };
    let (found, booking) = app.db.shop_tx(&turn.scope, TxKind::Turn, read).await?;
    let say = |text: BookingText<'_>| Some(Course::Say(text.render(turn.shop.timezone(), turn.language)));
    let refuse = |why| say(BookingText::Refused { why, next: &[] });
    // What is not theirs is not there.
    let theirs = found.filter(|found| found.customer_id == Some(customer) && found.is_booked() && found.starts_at > now);
    let Some(standing) = theirs else { return Ok(refuse(Refusal::NoSuchAppointment)) };
    let subject = Subject::standing(&standing);
    match said {
        RemindedTap::Confirm => Ok(Some(Course::ConfirmAppointment(appointment))),
        // Never at once: it is asked, and the answer judged like any other.
        RemindedTap::Cancel => Ok(Some(Course::ProposeBooking { asked: Asked::Cancel { appointment }, subject, busy: Vec::new() })),
        RemindedTap::Later => {
            let until = standing.starts_at - TimeDelta::minutes(i64::from(booking.change_minutes));
            if now > until {
                return Ok(refuse(Refusal::TooLate(until)));
            }
            let course = other_times(app, turn, &standing, subject, now).await?;
            Ok(course.or_else(|| refuse(Refusal::NotOffered)))
        }
    }
}

/// What was said, and to which appointment.
async fn meant(app: &App, turn: &Turn, proposal: Option<&Proposal>, words: &str) -> Result<Option<(RemindedTap, AppointmentId)>, JobError> {
    if let [said] = turn.said.as_slice()
        && let Content::Button { payload, .. } = &said.message.content
        && let Some((verb, id)) = payload.split_once(':')
        && let (Some(tap), Ok(id)) = (RemindedTap::read(verb), id.parse())
    {
        return Ok(Some((tap, id)));
    }
    // With a proposal on the table a yes is to that. A template's own buttons come back with what stands on them; ours say what they are under.
    let in_words = turn.said.iter().all(|said| match &said.message.content {
        Content::Text { .. } => true,
        Content::Button { payload, .. } => Tap::read(payload).is_none(),
        _ => false,
    });
    if proposal.is_some() || !in_words {
        return Ok(None);
    }
    let tap = match judge(words) {
        Verdict::Yes => RemindedTap::Confirm,
        Verdict::No => RemindedTap::Cancel,
        Verdict::Unclear => return Ok(None),
    };
    let earliest = turn.said.iter().map(|said| said.accepted_at_ms).min().and_then(DateTime::from_timestamp_millis);
    let Some(wrote_at) = earliest else { return Ok(None) };
    let conversation = turn.conversation.id();
    let read = async move |mut tx: ShopTx| reminders::last_word(&mut tx, conversation, wrote_at).await;
    let reminded = app.db.shop_tx(&turn.scope, TxKind::Turn, read).await?;
    Ok(reminded.map(|appointment| (tap, appointment)))
}

/// Free times with the same person; `None` if that is not offered any more.
async fn other_times(
    app: &App,
    turn: &Turn,
    standing: &Appointment,
    subject: Subject,
    now: DateTime<Utc>,
) -> Result<Option<Course>, JobError> {
    let diary = Diary::new(app.db.clone(), turn.scope, app.busy.clone(), now);
    let sought = Sought { subject, staff: Some(standing.staff_id) };
    let range = Range { from: turn.shop.local_date(now), days: DAYS, weekdays: Vec::new(), time: None };
    match tokio::time::timeout(PATIENCE, diary.free(&sought, &range)).await {
        Ok(Ok(offered)) => Ok(offered.map(Course::OfferTimes)),
        Ok(Err(DiaryError::Db(error))) => Err(error.into()),
        Ok(Err(DiaryError::Calendar(error))) => {
            tracing::warn!(%error, "nothing is offered");
            Ok(Some(Course::CalendarUnreachable))
        }
        Err(_) => {
            tracing::warn!("a connected calendar is too slow, nothing is offered");
            Ok(Some(Course::CalendarUnreachable))
        }
    }
}

impl Decider {
    pub(super) async fn confirm_appointment(&mut self, tx: &mut ShopTx, id: AppointmentId) -> Result<Made, DbError> {
        let changed = match appointments::confirm(tx, id, self.conversation.customer(), self.now).await {
            Ok(changed) => changed,
            Err(ChangeError::Db(error)) => return Err(error),
            Err(_) => {
                let refused = self.say_booking(&BookingText::Refused { why: Refusal::NoSuchAppointment, next: &[] });
                return Ok(self.made("refused", Reply::ai("reply", refused)));
            }
        };
        self.pending.extend(changed.pending);
        if let Some(event) = changed.event {
            self.events.push(("appointment", event));
        }
        let of = &changed.appointment;
        let shown = Shown::of(of, &self.shop.currency);
        let said = ReminderText::Confirmed(shown).render(self.shop.timezone(), self.language);
        Ok(self.made("confirmed", Reply::ai("booking", said)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_is_read_as_it_was_written() {
        for tap in RemindedTap::ALL {
            let payload = tap.payload(AppointmentId(7));
            let (verb, id) = payload.split_once(':').unwrap();
            assert_eq!((RemindedTap::read(verb), id.parse()), (Some(tap), Ok(AppointmentId(7))));
        }
        assert_eq!(RemindedTap::read("confirm"), None);
    }
}
