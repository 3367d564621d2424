//! The decision: effects, answer and what follows from them, in one transaction under the turn's fence. Here the code has the last word: an order
//! comes only from the open proposal, at the prices and with the total that the customer saw.

use frontdesk_core::db::appointments::Busy;
use frontdesk_core::db::conversations::PausedBy;
use frontdesk_core::db::messages::OutboundRow;
use frontdesk_core::db::orders::{self, PlaceError, Placement};
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::proposals::{NewProposal, Proposal, ProposedLine};
use frontdesk_core::db::{DbError, ShopTx, TxKind, conversations, messages, products, proposals, turns, usage};
use frontdesk_core::ids::OrderNo;
use frontdesk_core::inbound::Content;
use frontdesk_core::jobs::Notice;
use frontdesk_core::money::Money;

use super::course::{decision, fallback};
use super::{Reply, Turn, tell};
use crate::App;
use crate::agent::texts::bookings::BookingText;
use crate::agent::texts::{self, SummaryLine, Text};
use crate::agent::{Course, Trace};
use crate::clients::models::Tokens;
use crate::crash::{self, Point};
use crate::runner::JobError;

/// Decides the turn and gives the messages that say so, the first of them claimed; none if it was decided before, which stays.
pub(super) async fn decide(
    app: &App,
    turn: &mut Turn,
    course: Course,
    proposal: Option<Proposal>,
    trace: Trace,
) -> Result<Vec<OutboundRow>, JobError> {
    let (course, busy) = super::booking::before(app, turn.scope, course, proposal.as_ref()).await;
    let mut decider = Decider {
        conversation: turn.conversation.clone(),
        row: turn.row.clone(),
        channel: turn.channel.clone(),
        shop: turn.shop.clone(),
        language: turn.language,
        customer_name: turn.customer_name.clone(),
        contact: turn.contact(),
        fallback: fallback(if let Course::Fallback(hits) = &course { hits } else { &[] }, &turn.shop, turn.language),
        now: app.clock.now(),
        busy,
        agreed_at: agreed_at(turn),
        pending: Vec::new(),
        events: Vec::new(),
    };
    let fence = turn.fence();
    let decided = app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            let Some(held) = conversations::hold(&mut tx, decider.conversation.id(), fence).await? else { return Ok(None) };
            decider.conversation = held;
            let messages = decider.decide(&mut tx, course, proposal, &trace).await?;
            Ok::<_, DbError>(Some((messages, decider.pending, decider.events)))
        })
        .await?;
    let (messages, pending, events) = decided.ok_or_else(JobError::lost)?;
    crash::at(Point::AfterDecide);
    app.push_outbox(&turn.scope, pending).await;
    for (kind, event) in events {
        app.announce(&turn.scope, kind, &event).await;
    }
    Ok(messages)
}

pub(super) struct Decider {
    pub(super) conversation: conversations::ConversationRow,
    pub(super) row: turns::TurnRow,
    pub(super) channel: frontdesk_core::db::channels::ChannelRef,
    pub(super) shop: frontdesk_core::db::shops::ShopProfile,
    pub(super) language: texts::Language,
    pub(super) customer_name: String,
    pub(super) contact: Option<String>,
    pub(super) fallback: Reply,
    pub(super) now: chrono::DateTime<chrono::Utc>,
    /// When staff are busy elsewhere around the time of the open proposal, if that is being confirmed.
    pub(super) busy: Vec<Busy>,
    /// When the last word to the open proposal was accepted.
    pub(super) agreed_at: chrono::DateTime<chrono::Utc>,
    /// Outbox rows to push after the commit.
    pub(super) pending: Vec<Pending>,
    /// What open dashboards are told after it: kind and content.
    pub(super) events: Vec<(&'static str, serde_json::Value)>,
}

/// What was decided.
pub(super) struct Made {
    pub(super) outcome: &'static str,
    pub(super) reply: Option<Reply>,
    pub(super) shows: Option<frontdesk_core::ids::ProposalId>,
    pub(super) epoch: i64,
}

/// The earliest of what was said. A tap on a button comes from who has seen it: no clock needs to be compared.
fn agreed_at(turn: &Turn) -> chrono::DateTime<chrono::Utc> {
    let tapped = matches!(turn.said.as_slice(), [said] if matches!(said.message.content, Content::Button { .. }));
    let earliest = turn.said.iter().map(|said| said.accepted_at_ms).min();
    match earliest.and_then(chrono::DateTime::from_timestamp_millis) {
        Some(at) if !tapped => at,
        _ => chrono::DateTime::<chrono::Utc>::MAX_UTC,
    }
}

impl Decider {
    pub(super) fn say(&self, text: &Text<'_>) -> String {
        texts::for_shop(&self.shop, text, self.language)
    }

    pub(super) async fn decide(
        &mut self,
        tx: &mut ShopTx,
        course: Course,
        proposal: Option<Proposal>,
        trace: &Trace,
    ) -> Result<Vec<OutboundRow>, DbError> {
        let epoch = self.conversation.human_epoch;
        let plain = |outcome, reply| Made { outcome, reply: Some(reply), shows: None, epoch };
        // The takeover count stays the one of the turn's beginning, so that a human who stepped in since wins.
        let begun = self.row.human_epoch;
        let mut made = match course {
            Course::Say(text) => plain("reply", Reply::ai("reply", text)),
            Course::Fallback(_) => plain("fallback", self.fallback.clone()),
            Course::ProposeOrder(lines) => self.propose(tx, &lines, None).await?,
            Course::ProposeCancel(order) => self.propose_cancel(tx, order).await?,
            Course::OfferTimes(offered) => self.offer_times(offered),
            Course::ProposeBooking { asked, subject, busy } => self.propose_booking(tx, asked, &subject, &busy, None).await?,
            Course::CalendarUnreachable => self.calendar_unreachable(tx).await?,
            Course::ConfirmAppointment(id) => self.confirm_appointment(tx, id).await?,
            Course::Confirm => self.confirm(tx, proposal).await?,
            Course::Decline => self.decline(tx, proposal).await?,
            Course::Handoff => self.hand_over(tx).await?,
        };
        if made.outcome != "handoff" {
            made.epoch = begun;
        }
        if !turns::decide(tx, self.row.id(), &decision(made.outcome, made.epoch, trace)).await? {
            return Ok(Vec::new());
        }
        // What the AI says is withheld if a human has stepped in; the sender sees to that.
        let at_once = made.epoch >= self.conversation.human_epoch;
        let messages = match made.reply {
            Some(reply) => {
                store(
                    tx,
                    &self.conversation,
                    &self.row,
                    reply.into_outbound(self.row.id(), self.channel.platform()),
                    at_once.then_some(self.now),
                )
                .await?
            }
            None => Vec::new(),
        };
        if let (Some(proposal), Some(message)) = (made.shows, messages.last()) {
            proposals::shown_by(tx, proposal, message.id()).await?;
        }
        // Last: all turns of a shop meet in this row, and its lock lasts until the commit.
        if trace.tokens != Tokens::default() {
            usage::add_model_cost(tx, self.shop.local_date(self.now), trace.tokens.input, trace.tokens.output, trace.cost).await?;
        }
        Ok(messages)
    }

    async fn propose(&mut self, tx: &mut ShopTx, lines: &[ProposedLine], instead: Option<Text<'_>>) -> Result<Made, DbError> {
        let total: Money = lines.iter().map(|line| line.price.times(line.quantity)).sum();
        let new = NewProposal { kind: "order", lines, total, order_no: None };
        let id = proposals::insert(tx, self.conversation.id(), self.row.id(), &new).await?;
        let summary_lines = summary(lines);
        let mut text = instead.map(|text| format!("{}\n\n", self.say(&text))).unwrap_or_default();
        text.push_str(&self.say(&Text::OrderSummary { lines: &summary_lines, total: total.amount(), currency: &self.shop.currency }));
        let reply = Reply::ai("proposal", text).asking(id, self.language);
        Ok(Made { outcome: "proposal", reply: Some(reply), shows: Some(id), epoch: self.conversation.human_epoch })
    }

    async fn propose_cancel(&mut self, tx: &mut ShopTx, order: OrderNo) -> Result<Made, DbError> {
        let Some(standing) = orders::find(tx, order).await? else {
            return Ok(self.made("reply", Reply::ai("reply", self.say(&Text::ProposalGone))));
        };
        let new = NewProposal { kind: "cancel_order", lines: &[], total: standing.revenue, order_no: Some(order) };
        let id = proposals::insert(tx, self.conversation.id(), self.row.id(), &new).await?;
        let text = self.say(&Text::CancelQuestion { order_no: order.0 });
        let reply = Reply::ai("proposal", text).asking(id, self.language);
        Ok(Made { outcome: "proposal", reply: Some(reply), shows: Some(id), epoch: self.conversation.human_epoch })
    }

    pub(super) fn made(&self, outcome: &'static str, reply: Reply) -> Made {
        Made { outcome, reply: Some(reply), shows: None, epoch: self.conversation.human_epoch }
    }

    async fn confirm(&mut self, tx: &mut ShopTx, asked: Option<Proposal>) -> Result<Made, DbError> {
        // Read again under the lock: it must be the very proposal that was judged.
        let open = proposals::open_in(tx, self.conversation.id()).await?;
        let Some(proposal) = open.filter(|open| asked.is_some_and(|asked| asked.id == open.id) && open.shown_at.is_some()) else {
            return Ok(self.made("reply", Reply::ai("reply", self.say(&Text::ProposalGone))));
        };
        if proposal.is_of_booking() {
            return self.confirm_booking(tx, &proposal).await;
        }
        if proposal.kind == "cancel_order" {
            return self.cancel(tx, &proposal).await;
        }
        let ids: Vec<_> = proposal.lines.iter().map(|line| line.product_id).collect();
        let today = products::lock(tx, &ids).await?;
        let unchanged = |line: &ProposedLine| today.iter().any(|product| product.id == line.product_id && product.price == line.price);
        if !proposal.lines.iter().all(unchanged) {
            return self.propose_anew(tx, &proposal, &today).await;
        }
        let placement = Placement {
            customer: Some(self.conversation.customer()),
            customer_name: self.customer_name.clone(),
            contact: self.contact.clone(),
            platform: Some(self.channel.platform()),
            source: "agent",
            proposal: Some(proposal.id),
            request_key: None,
            now: self.now,
        };
        let wanted: Vec<_> = proposal
            .lines
            .iter()
            .map(|line| frontdesk_core::jobs::WantedLine { product: line.product_id, quantity: line.quantity })
            .collect();
        match orders::place(tx, &wanted, &placement).await {
            Ok(order) => {
                proposals::close(tx, proposal.id, "confirmed", Some(order.order_no)).await?;
                self.events.push(("order", serde_json::json!({"order_no": order.order_no, "status": order.status})));
                let lines = summary(&proposal.lines);
                let text = Text::OrderPlaced {
                    order_no: order.order_no.0,
                    lines: &lines,
                    total: order.revenue.amount(),
                    currency: &self.shop.currency,
                };
                Ok(self.made("order", Reply::ai("order", self.say(&text))))
            }
            Err(PlaceError::OutOfStock { name, left, .. }) => {
                proposals::close(tx, proposal.id, "failed", None).await?;
                Ok(self.made("out_of_stock", Reply::ai("reply", self.say(&Text::OutOfStock { name: &name, left }))))
            }
            Err(PlaceError::NoSuchProduct { .. }) => {
                proposals::close(tx, proposal.id, "failed", None).await?;
                Ok(self.made("out_of_stock", Reply::ai("reply", self.say(&Text::ProposalGone))))
            }
            Err(PlaceError::Db(error)) => Err(error),
        }
    }

    /// Prices have changed since: the customer sees the new ones and is asked again.
    async fn propose_anew(&mut self, tx: &mut ShopTx, proposal: &Proposal, today: &[products::ProductRow]) -> Result<Made, DbError> {
        let lines: Vec<ProposedLine> = proposal
            .lines
            .iter()
            .filter_map(|line| {
                let product = today.iter().find(|product| product.id == line.product_id)?;
                Some(ProposedLine { price: product.price, name: product.name.clone(), ..line.clone() })
            })
            .collect();
        if lines.is_empty() {
            proposals::close(tx, proposal.id, "failed", None).await?;
            return Ok(self.made("reply", Reply::ai("reply", self.say(&Text::ProposalGone))));
        }
        self.propose(tx, &lines, Some(Text::PricesChanged)).await
    }

    async fn cancel(&mut self, tx: &mut ShopTx, proposal: &Proposal) -> Result<Made, DbError> {
        let Some(order) = proposal.order_no else {
            return Ok(self.made("reply", Reply::ai("reply", self.say(&Text::ProposalGone))));
        };
        let cancelled = orders::change_status(tx, order, "cancelled", None, "agent", self.now).await;
        let (state, text) = match cancelled {
            Ok(_) => ("confirmed", Text::OrderCancelled { order_no: order.0 }),
            Err(orders::ChangeError::Db(error)) => return Err(error),
            Err(_) => ("failed", Text::CancelImpossible { order_no: order.0 }),
        };
        proposals::close(tx, proposal.id, state, None).await?;
        self.events.push(("order", serde_json::json!({"order_no": order})));
        Ok(self.made("cancel", Reply::ai("order", self.say(&text))))
    }

    async fn decline(&mut self, tx: &mut ShopTx, proposal: Option<Proposal>) -> Result<Made, DbError> {
        let of_booking = proposal.as_ref().is_some_and(Proposal::is_of_booking);
        if let Some(proposal) = proposal {
            proposals::close(tx, proposal.id, "declined", None).await?;
        }
        if of_booking {
            return Ok(self.made("declined", Reply::ai("reply", self.say_booking(&BookingText::Declined))));
        }
        Ok(self.made("declined", Reply::ai("reply", self.say(&Text::ProposalDeclined))))
    }

    async fn hand_over(&mut self, tx: &mut ShopTx) -> Result<Made, DbError> {
        let conversation = self.conversation.id();
        let paused = conversations::pause(tx, conversation, PausedBy::Customer, None).await?.ok_or(DbError::NotFound)?;
        self.pending.extend(paused.ends);
        let notice_key = format!("handoff:{conversation}:{}", self.row.id());
        self.pending.push(tell(tx, notice_key, Notice::Handoff { conversation, message: None }).await?);
        self.events.push(("handoff", serde_json::json!({"conversation_id": conversation})));
        let reply = Reply::system("handoff", self.say(&Text::Handoff));
        Ok(Made { outcome: "handoff", reply: Some(reply), shows: None, epoch: paused.human_epoch })
    }
}

/// Stores what a turn says, the first part claimed at `claim_first`: it is sent right after the commit, without asking again.
pub(super) async fn store(
    tx: &mut ShopTx,
    conversation: &conversations::ConversationRow,
    row: &turns::TurnRow,
    parts: Vec<messages::NewOutbound>,
    claim_first: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<Vec<OutboundRow>, DbError> {
    let mut stored = Vec::with_capacity(parts.len());
    for (part, message) in parts.iter().enumerate() {
        let claimed_at = claim_first.filter(|_| part == 0);
        stored.push(messages::store_outbound(tx, conversation.id(), conversation.channel(), Some(row.id()), message, claimed_at).await?);
    }
    if let Some(last) = stored.last().filter(|message| message.author == "ai") {
        conversations::note_answer(tx, conversation.id(), last.id()).await?;
    }
    Ok(stored)
}

fn summary(lines: &[ProposedLine]) -> Vec<SummaryLine<'_>> {
    lines
        .iter()
        .map(|line| SummaryLine {
            quantity: line.quantity,
            name: &line.name,
            price: line.price.amount(),
            amount: line.price.times(line.quantity).amount(),
        })
        .collect()
}
