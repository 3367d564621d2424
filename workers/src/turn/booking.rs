//! What a turn decides about appointments. Free times and proposals are worded by code alone, so that a customer never reads of a time that was not
//! checked.

use std::time::Duration;

use chrono_tz::Tz;
use frontdesk_core::availability::NotFree;
use frontdesk_core::db::appointments::{BookError, Busy, ChangeError};
use frontdesk_core::db::proposals::{self, Agreement, Asked, BookingError, Proposal, Proposed, ProposedBooking, Within};
use frontdesk_core::db::{DbError, ShopTx};
use frontdesk_core::jobs::Notice;
use frontdesk_core::tenancy::ShopScope;

use super::decide::{Decider, Made};
use super::{Reply, tell};
use crate::App;
use crate::agent::Course;
use crate::agent::texts::Text;
use crate::agent::texts::bookings::{BookingText, Refusal, Shown};
use crate::diary::{Offered, Subject};

/// A calendar is given this long when a customer says yes: the answer is due.
const PATIENCE: Duration = Duration::from_millis(1_800);

/// Asks calendars elsewhere what must be known before a proposal is confirmed, as no transaction may wait for them. Where one does not say, nothing is
/// booked.
pub(super) async fn before(app: &App, scope: ShopScope, course: Course, proposal: Option<&Proposal>) -> (Course, Vec<Busy>) {
    let within = match course {
        Course::Confirm => proposal.and_then(proposals::look_for),
        _ => None,
    };
    let Some(within) = within else { return (course, Vec::new()) };
    match tokio::time::timeout(PATIENCE, app.busy.busy(&scope, within)).await {
        Ok(Ok(busy)) => (course, busy.unwrap_or_default()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "nothing is booked");
            (Course::CalendarUnreachable, Vec::new())
        }
        Err(_) => {
            tracing::warn!("a connected calendar is too slow, nothing is booked");
            (Course::CalendarUnreachable, Vec::new())
        }
    }
}

impl Decider {
    fn zone(&self) -> Tz {
        self.shop.timezone()
    }

    pub(super) fn say_booking(&self, text: &BookingText<'_>) -> String {
        text.render(self.zone(), self.language)
    }

    pub(super) fn offer_times(&self, offered: Offered) -> Made {
        let text = BookingText::FreeTimes { service: &offered.service_name, slots: &offered.slots, as_asked: offered.as_asked };
        let said = self.say_booking(&text);
        self.made("slots", Reply::ai("slots", said).offering(offered))
    }

    pub(super) async fn propose_booking(
        &mut self,
        tx: &mut ShopTx,
        asked: Asked,
        subject: &Subject,
        busy: &[Busy],
        first: Option<BookingText<'_>>,
    ) -> Result<Made, DbError> {
        let within = Within { conversation: self.conversation.id(), turn: self.row.id(), customer: self.conversation.customer() };
        match proposals::propose_booking(tx, &within, asked, busy, self.now).await {
            Ok(proposed) => Ok(self.show(&asked, &proposed, first)),
            Err(BookingError::Db(error)) => Err(error),
            Err(refused) => Ok(self.refuse(&refused, Some(subject))),
        }
    }

    fn show(&self, asked: &Asked, proposed: &Proposed, first: Option<BookingText<'_>>) -> Made {
        let shown = self.shown(&proposed.booking);
        let text = match asked {
            Asked::Book { .. } => BookingText::BookQuestion(shown),
            Asked::Move { .. } => BookingText::MoveQuestion(shown),
            Asked::Cancel { .. } => BookingText::CancelQuestion(shown),
        };
        let mut said = first.map(|first| format!("{}\n\n", self.say_booking(&first))).unwrap_or_default();
        said.push_str(&self.say_booking(&text));
        let reply = Reply::ai("proposal", said).asking(proposed.id, self.language);
        Made { outcome: "proposal", reply: Some(reply), shows: Some(proposed.id), epoch: self.conversation.human_epoch }
    }

    fn shown<'a>(&'a self, booking: &'a ProposedBooking) -> Shown<'a> {
        Shown {
            service: &booking.service_name,
            staff: &booking.staff_name,
            starts_at: booking.starts_at,
            price: booking.price.amount(),
            currency: &self.shop.currency,
        }
    }

    pub(super) async fn confirm_booking(&mut self, tx: &mut ShopTx, proposal: &Proposal) -> Result<Made, DbError> {
        let agreement = Agreement {
            conversation: self.conversation.id(),
            proposal: proposal.id,
            customer: self.conversation.customer(),
            customer_name: self.customer_name.clone(),
            contact: self.contact.clone(),
            accepted_at: self.agreed_at,
        };
        let busy = std::mem::take(&mut self.busy);
        let changed = match proposals::confirm_booking(tx, &agreement, &busy, self.now).await {
            Ok(changed) => changed,
            Err(BookingError::Db(error)) => return Err(error),
            // Other terms than those that were agreed to: they are shown, and asked for again.
            Err(BookingError::ServiceChanged) => {
                let Some(booking) = &proposal.booking else { return Ok(self.refuse(&BookingError::Gone, None)) };
                let asked = Asked::Book { service: booking.service_id, staff: Some(booking.staff_id), starts_at: booking.starts_at };
                let subject = Subject::of(booking, None);
                return self.propose_booking(tx, asked, &subject, &busy, Some(BookingText::Changed)).await;
            }
            Err(refused) => {
                let subject = proposal.booking.as_ref().map(|booking| Subject::of(booking, proposal.appointment_id));
                return Ok(self.refuse(&refused, subject.as_ref()));
            }
        };
        self.pending.extend(changed.pending);
        if let Some(event) = changed.event {
            self.events.push(("appointment", event));
        }
        let appointment = changed.appointment;
        let shown = Shown::of(&appointment, &self.shop.currency);
        let (outcome, text) = match proposal.kind.as_str() {
            "move_booking" => ("moved", BookingText::Moved(shown)),
            "cancel_booking" => ("cancel", BookingText::Cancelled(shown)),
            _ => ("booking", BookingText::Booked(shown)),
        };
        Ok(self.made(outcome, Reply::ai("booking", self.say_booking(&text))))
    }

    /// Why it cannot be, and what is free instead: that is on the table then.
    fn refuse(&self, refused: &BookingError, subject: Option<&Subject>) -> Made {
        let next = refused.next();
        let why = match refused {
            BookingError::Gone | BookingError::NotShown => {
                let gone = self.say(&Text::ProposalGone);
                return self.made("reply", Reply::ai("reply", gone));
            }
            BookingError::Book(BookError::SlotTaken { .. }) | BookingError::Change(ChangeError::SlotTaken { .. }) => {
                Refusal::NotFree(NotFree::Taken)
            }
            BookingError::Book(BookError::NotBookable { why, .. }) | BookingError::Change(ChangeError::NotBookable { why, .. }) => {
                Refusal::NotFree(*why)
            }
            BookingError::Change(ChangeError::TooLate { until }) => Refusal::TooLate(*until),
            BookingError::Change(ChangeError::NotFound | ChangeError::NotAllowed { .. }) => Refusal::NoSuchAppointment,
            _ => Refusal::NotOffered,
        };
        let reply = Reply::ai("slots", self.say_booking(&BookingText::Refused { why, next }));
        let Some(subject) = subject.filter(|_| !next.is_empty()) else { return self.made("refused", reply) };
        let Subject { service_id, service_name, appointment_id } = subject.clone();
        let offer = Offered { service_id, service_name, staff_id: None, appointment_id, slots: next.to_vec(), as_asked: false };
        self.made("refused", reply.offering(offer))
    }

    pub(super) async fn calendar_unreachable(&mut self, tx: &mut ShopTx) -> Result<Made, DbError> {
        let conversation = self.conversation.id();
        // Once an hour is enough for staff to know.
        let notice_key = format!("calendar:{}", self.now.format("%Y-%m-%dT%H"));
        self.pending.push(tell(tx, notice_key, Notice::CalendarUnreachable { conversation }).await?);
        Ok(self.made("calendar_unreachable", Reply::ai("reply", self.say_booking(&BookingText::CalendarUnreachable))))
    }
}
