//! A talk with the agent that changes nothing: the owner tries what it would say and do. Model, tools, guard and judge are those of a turn, and what
//! comes of it is decided by the code that decides turns, in a transaction that is never committed.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::appointments::Busy;
use frontdesk_core::db::channels::{self, ChannelInput};
use frontdesk_core::db::messages::OutboundRow;
use frontdesk_core::db::proposals::{Asked, BookingError, NewProposal, Proposal, ProposedBooking, ProposedLine, Within};
use frontdesk_core::db::shops::{self, ShopProfile};
use frontdesk_core::db::{DbError, ShopTx, TxKind, conversations, customers, products, proposals, turns, usage};
use frontdesk_core::ids::{CustomerId, ProductId, ProposalId};
use frontdesk_core::inbound::{Alias, AliasKind, ChannelKey, Platform, Sender};
use frontdesk_core::jobs::{TrialBooking, TrialTalk, TrialTap};
use frontdesk_core::money::Money;
use frontdesk_core::tenancy::ShopScope;
use rust_decimal::Decimal;

use super::booking;
use super::course::{fallback, look_up, numbers};
use super::decide::Decider;
use crate::App;
use crate::agent::judge::{Shown, Verdict, judge_shown};
use crate::agent::texts::{self, Language};
use crate::agent::{self, Context, Course, Hit, ShopCard, Sources, ThinkError, Trace, handoff};
use crate::catalogue::Catalogue;
use crate::diary::{Book, Diary};
use crate::runner::JobError;

/// What a trial came to.
pub(crate) struct Tried {
    /// What the customer would get.
    pub(crate) messages: Vec<OutboundRow>,
    /// The proposal that would be open then.
    pub(crate) proposal: Option<Proposal>,
    /// How it came about.
    pub(crate) trace: Trace,
}

/// Why there was no trial.
pub(crate) enum Untried {
    /// The day's budget for models is used up.
    Budget,
    /// No model answered; what was asked has cost something all the same.
    Models(Trace),
    /// Something failed.
    Failed(JobError),
}

impl From<DbError> for Untried {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

/// What the talk stands on.
struct Ground {
    shop: ShopProfile,
    spent: Decimal,
    hits: Vec<Hit>,
    book: Option<Book>,
    proposal: Option<Proposal>,
}

/// Runs one step of a trial talk. Only the models' cost is left for the caller to book.
pub(crate) async fn run(app: &App, scope: ShopScope, talk: TrialTalk) -> Result<Tried, Untried> {
    let now = app.clock.now();
    let Ground { shop, spent, hits, book, proposal } = ground(app, scope, &talk, now).await?;
    if spent >= shop.daily_model_budget && shop.daily_model_budget > Decimal::ZERO {
        return Err(Untried::Budget);
    }
    let language = language(&shop, &talk);
    let mut trace = Trace::default();
    let agreed = proposal.as_ref().is_some_and(|proposal| judge_shown(&talk.said, &Shown { numbers: &numbers(proposal) }) == Verdict::Yes);
    let course = match (talk.tap, &proposal) {
        (Some(TrialTap::Confirm), _) => Course::Confirm,
        (Some(TrialTap::Decline), _) => Course::Decline,
        (None, _) if handoff::wanted(&shop, &talk.said) => Course::Handoff,
        (None, Some(_)) if agreed => Course::Confirm,
        (None, _) => {
            let card = ShopCard::of(&shop, now);
            let context = Context {
                shop: &card,
                // Nobody: a trial customer has no orders, and sees nobody's.
                customer: CustomerId(0),
                language,
                history: &talk.exchanges,
                returning: None,
                said: &talk.said,
                hits: &hits,
                book: book.as_ref(),
                proposal: proposal.as_ref(),
                agreed,
            };
            let catalogue = Catalogue::new(app.db.clone(), scope);
            let diary = Diary::new(app.db.clone(), scope, app.busy.clone(), now);
            let sources = Sources { catalogue: &catalogue, diary: &diary };
            let hedge_after = || app.settings.hedge_after;
            match agent::think(&app.models, &app.settings.model_prices, &sources, &context, hedge_after, &mut trace).await {
                Ok(course) => course,
                Err(ThinkError::Db(error)) => return Err(error.into()),
                Err(ThinkError::Models(error)) => {
                    tracing::warn!(%error, "no model answered a trial");
                    trace.give_up();
                    return Err(Untried::Models(trace));
                }
            }
        }
    };
    let (course, busy) = booking::before(app, scope, course, proposal.as_ref()).await;
    let (messages, proposal, trace) = play(app, scope, Play { shop, language, course, proposal, busy, trace, now }).await?;
    Ok(Tried { messages, proposal, trace })
}

async fn ground(app: &App, scope: ShopScope, talk: &TrialTalk, now: DateTime<Utc>) -> Result<Ground, DbError> {
    let talk = talk.clone();
    app.db
        .shop_tx(&scope, TxKind::Turn, async move |mut tx| {
            let mut shop = shops::profile(&mut tx).await?;
            let spent = usage::as_of(&mut tx, shop.local_date(now)).await?.model_cost_today;
            let hits = if shop.sells_products() { look_up(&mut tx, &talk.said, &talk.exchanges).await? } else { Vec::new() };
            let book = match shop.takes_appointments() {
                true => Some(Book::read(&mut tx, CustomerId(0), None, now, now).await?),
                false => None,
            };
            let ids: Vec<ProductId> = talk.proposal.iter().map(|line| line.product).collect();
            let named = products::find_many(&mut tx, &ids).await?;
            let lines = talk.proposal.iter().filter_map(|line| {
                let product = named.iter().find(|product| product.id == line.product)?;
                Some(ProposedLine { product_id: line.product, name: product.name.clone(), quantity: line.quantity, price: line.price })
            });
            let lines: Vec<ProposedLine> = lines.collect();
            let total: Money = lines.iter().map(|line| line.price.times(line.quantity)).sum();
            let booking = talk.booking.and_then(|booking| proposed(book.as_ref()?, &booking));
            let proposal = (!lines.is_empty() || booking.is_some()).then(|| Proposal {
                id: ProposalId(0),
                kind: if booking.is_some() { "booking" } else { "order" }.to_owned(),
                total: booking.as_ref().map_or(total, |booking| booking.price),
                lines,
                order_no: None,
                booking,
                appointment_id: None,
                shown_at: Some(now),
                created_at: now,
            });
            shop.agent_name = talk.agent_name.unwrap_or(shop.agent_name);
            shop.agent_instructions = talk.agent_instructions.unwrap_or(shop.agent_instructions);
            shop.about = talk.about.unwrap_or(shop.about);
            Ok::<_, DbError>(Ground { shop, spent, hits, book, proposal })
        })
        .await
}

/// The appointment that the trial's customer was shown, if it is still on offer.
fn proposed(book: &Book, booking: &TrialBooking) -> Option<ProposedBooking> {
    let service = book.service(booking.service)?;
    let (staff_id, staff_name) = service.staff.iter().find(|(id, _)| *id == booking.staff)?.clone();
    let ends_at = booking.starts_at + TimeDelta::minutes(i64::from(service.duration_minutes));
    let service_name = service.name.clone();
    Some(ProposedBooking {
        service_id: service.id,
        service_name,
        staff_id,
        staff_name,
        starts_at: booking.starts_at,
        ends_at,
        price: service.price,
    })
}

/// As in a turn: the customer's own language if it can be told, by what they say now or said before, else the shop's.
fn language(shop: &ShopProfile, talk: &TrialTalk) -> Language {
    let before = talk.exchanges.iter().rev().map(|exchange| exchange.customer.as_str());
    std::iter::once(talk.said.as_str()).chain(before).find_map(texts::detect).unwrap_or_else(|| shop.language())
}

struct Play {
    shop: ShopProfile,
    language: Language,
    course: Course,
    proposal: Option<Proposal>,
    busy: Vec<Busy>,
    trace: Trace,
    now: DateTime<Utc>,
}

type Played = (Vec<OutboundRow>, Option<Proposal>, Trace);

/// Why a play ends: it always does, so that its transaction is rolled back.
enum Curtain {
    Fell(Box<Played>),
    Failed(DbError),
}

impl From<DbError> for Curtain {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

/// Decides the turn as if it were one, in a conversation that never was.
async fn play(app: &App, scope: ShopScope, play: Play) -> Result<Played, DbError> {
    let played = app.db.shop_tx(&scope, TxKind::Turn, async move |mut tx| {
        let played = decide(&mut tx, play).await?;
        Err::<std::convert::Infallible, _>(Curtain::Fell(Box::new(played)))
    });
    match played.await {
        Err(Curtain::Fell(played)) => Ok(*played),
        Err(Curtain::Failed(error)) => Err(error),
        Ok(never) => match never {},
    }
}

async fn decide(tx: &mut ShopTx, play: Play) -> Result<Played, DbError> {
    let Play { shop, language, course, proposal, busy, trace, now } = play;
    // An account that exists in this transaction alone; no two trials meet in it.
    let key = ChannelKey { platform: Platform::Whatsapp, external_id: format!("trial:{}", uuid::Uuid::new_v4()) };
    let sender = Sender { aliases: vec![Alias { kind: AliasKind::ScopedId, value: key.external_id.clone() }], name: None, username: None };
    let input = ChannelInput { key, name: String::new(), phone: None, instagram_login: false, sealed_token: None };
    let channel = channels::save(tx, &input).await?.0.id;
    let channel = channels::find(tx, channel).await?.ok_or(DbError::NotFound)?;
    let customer = customers::resolve(tx, channel.id(), &sender).await?;
    let conversation = conversations::open(tx, channel.id(), customer, Some(now), true).await?;
    let row = turns::begin(tx, conversation.id(), conversation.turn_fence, conversation.human_epoch, now).await?;
    if let Some(booking) = proposal.as_ref().and_then(|open| open.booking.as_ref()) {
        let within = Within { conversation: conversation.id(), turn: row.id(), customer };
        let asked = Asked::Book { service: booking.service_id, staff: Some(booking.staff_id), starts_at: booking.starts_at };
        match proposals::propose_booking(tx, &within, asked, &busy, now).await {
            Ok(open) => proposals::was_shown(tx, open.id, now).await?,
            Err(BookingError::Db(error)) => return Err(error),
            // Taken meanwhile: as in a turn, it is gone.
            Err(_) => {}
        }
    } else if let Some(open) = &proposal {
        let new = NewProposal { kind: "order", lines: &open.lines, total: open.total, order_no: None };
        let id = proposals::insert(tx, conversation.id(), row.id(), &new).await?;
        proposals::was_shown(tx, id, now).await?;
    }
    let proposal = proposals::open_in(tx, conversation.id()).await?;
    let id = conversation.id();
    let mut decider = Decider {
        fallback: fallback(if let Course::Fallback(hits) = &course { hits } else { &[] }, &shop, language),
        conversation,
        row,
        channel,
        shop,
        language,
        customer_name: String::new(),
        contact: None,
        now,
        busy,
        agreed_at: DateTime::<Utc>::MAX_UTC,
        pending: Vec::new(),
        events: Vec::new(),
    };
    let messages = decider.decide(tx, course, proposal, &trace).await?;
    Ok((messages, proposals::open_in(tx, id).await?, trace))
}
