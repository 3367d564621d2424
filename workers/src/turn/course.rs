//! The agent's part of a turn: what it starts from, the holding reply if it takes too long, the start over if more comes, and the decision.

use std::time::Duration;

use frontdesk_core::db::archives::{self, Returning};
use frontdesk_core::db::proposals::Proposal;
use frontdesk_core::db::shops::ShopProfile;
use frontdesk_core::db::turns::Decision;
use frontdesk_core::db::{DbError, ShopTx, TxKind, messages};
use frontdesk_core::inbound::{Content, ConversationKey};
use frontdesk_core::memory::Exchange;
use rust_decimal::Decimal;

use super::compose::Tap;
use super::{HOLDING_MARGIN, RESTART_RESERVE, Reply, Taken, Turn, decide, deliver, more_within_quiet, quiet_left, reminded};
use crate::App;
use crate::agent::judge::{Shown, Verdict, judge_shown};
use crate::agent::texts::{self, Language, Text};
use crate::agent::{self, Context, Course, Hit, ShopCard, Sources, ThinkError, Trace};
use crate::catalogue::{self, Catalogue};
use crate::crash::{self, Point};
use crate::diary::{Book, Diary};
use crate::runner::{JobContext, JobError};

/// Who was away is told of for so many exchanges; after that, the talk of today says enough.
const GREETED_FOR: usize = 3;
/// Exchanges of an earlier session that the model is shown.
const EARLIER: usize = 4;
/// Products shown to the model at once.
const HITS: usize = 12;
/// The time that OpenAI is given when Gemini lets us down near the deadline.
const SECOND_CALL: Duration = Duration::from_millis(1_300);
const MIN_HEDGE: Duration = Duration::from_millis(250);

pub(super) fn decision(outcome: &'static str, human_epoch: i64, trace: &Trace) -> Decision {
    Decision {
        outcome,
        human_epoch,
        trace: serde_json::Value::Array(trace.events.clone()),
        input_tokens: i32::try_from(trace.tokens.input).unwrap_or(i32::MAX),
        output_tokens: i32::try_from(trace.tokens.output).unwrap_or(i32::MAX),
        cost: trace.cost,
    }
}

/// Runs the turn to its decision. The model is asked while the rest of a burst is still awaited: mostly nothing more comes, and the wait costs nobody
/// anything; else the answer is dropped and the turn starts over.
pub(super) async fn take(
    cx: &JobContext<App>,
    key: &ConversationKey,
    turn: &mut Turn,
    seen: usize,
    trace: &mut Trace,
) -> Result<Taken, JobError> {
    let app = &cx.app;
    let words = turn.words();
    let proposal = turn.standing.proposal.clone();
    let answered = match reminded::answered(app, turn, proposal.as_ref(), &words).await? {
        Some(course) => Some(course),
        None => answered_by_code(turn, proposal.as_ref(), &words),
    };
    if let Some(course) = answered {
        if more_within_quiet(cx, key, turn, seen).await? {
            return Ok(Taken::StartOver);
        }
        trace.note("judged", serde_json::json!(format!("{course:?}")));
        return decide::decide(app, turn, course, proposal, std::mem::take(trace)).await.map(Taken::Decided);
    }

    let Prepared { history, returning, hits, book } = prepare(app, turn).await?;
    let catalogue = Catalogue::new(app.db.clone(), turn.scope);
    let diary = Diary::new(app.db.clone(), turn.scope, app.busy.clone(), app.clock.now());
    let sources = Sources { catalogue: &catalogue, diary: &diary };
    let card = ShopCard::of(&turn.shop, app.clock.now());
    let context = Context {
        shop: &card,
        customer: turn.conversation.customer(),
        language: turn.language,
        history: &history,
        returning: returning.as_ref(),
        said: if words.trim().is_empty() { "(no text)" } else { &words },
        hits: &hits,
        book: book.as_ref(),
        proposal: proposal.as_ref(),
        agreed: proposal.as_ref().is_some_and(|proposal| agrees(turn, proposal, &words)),
    };
    let deadline_ms = turn.accepted_ms() + i64::try_from(app.settings.reply_deadline.as_millis()).unwrap_or(3_000);
    let clock = turn.clock;
    let hedge_after = || {
        let left = clock.until(deadline_ms).saturating_sub(HOLDING_MARGIN + SECOND_CALL);
        if left.is_zero() { app.settings.hedge_after } else { app.settings.hedge_after.min(left.max(MIN_HEDGE)) }
    };

    let mut held = false;
    let course = {
        let quiet = tokio::time::sleep(quiet_left(app, turn));
        let thinking = async {
            let course = agent::think(&app.models, &app.settings.model_prices, &sources, &context, hedge_after, trace).await;
            quiet.await;
            course
        };
        tokio::pin!(thinking);
        let mut more = std::pin::pin!(app.mailbox.more(&cx.envelope, key, seen));
        let mut watching = true;
        loop {
            let holding = tokio::time::sleep(clock.until(deadline_ms).saturating_sub(HOLDING_MARGIN));
            tokio::select! {
                biased;
                () = &mut more, if watching && !held => {
                    if clock.until(deadline_ms) > RESTART_RESERVE {
                        break None;
                    }
                    watching = false;
                }
                course = &mut thinking => break Some(course),
                () = holding, if !held => {
                    held = true;
                    // A retry of the job finds the holding reply stored, and does not say it twice.
                    deliver::hold_the_line(app, turn).await?;
                }
            }
        }
    };
    let Some(course) = course else {
        trace.give_up();
        return Ok(Taken::StartOver);
    };
    crash::at(Point::AfterModel);
    let course = match course {
        Ok(course) => course,
        Err(ThinkError::Db(error)) => return Err(error.into()),
        Err(ThinkError::Models(error)) => {
            deliver::hold_the_line(app, turn).await?;
            if !cx.is_last_attempt() {
                tracing::warn!(%error, "no model answered; the turn is tried again");
                return Err(JobError::retry("models"));
            }
            tracing::error!(%error, "no model answered; a human must");
            trace.note("models_failed", serde_json::json!(error.to_string()));
            Course::Handoff
        }
    };
    decide::decide(app, turn, course, proposal, std::mem::take(trace)).await.map(Taken::Decided)
}

/// What the model starts from.
struct Prepared {
    history: Vec<Exchange>,
    returning: Option<Returning>,
    hits: Vec<Hit>,
    book: Option<Book>,
}

/// Reads the last exchanges (from Postgres if Redis has lost them) and, in the same transaction, the catalogue for what is being talked about.
async fn prepare(app: &App, turn: &Turn) -> Result<Prepared, JobError> {
    let conversation = turn.conversation.id();
    let remembered = match app.memory.load(&turn.scope, conversation).await {
        Ok(remembered) => remembered,
        Err(error) => {
            tracing::warn!(%error, "memory unreachable, rebuilding from Postgres");
            None
        }
    };
    let was_lost = remembered.is_none();
    let (words, before) = (turn.words(), turn.row.id());
    let (customer, clock, now, shop) = (turn.conversation.customer(), turn.clock.now(), app.clock.now(), turn.shop.clone());
    let prepared = app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            let begins = remembered.as_ref().is_none_or(|history| history.len() < GREETED_FOR);
            let returning = if begins { archives::returning(&mut tx, conversation, customer, EARLIER).await? } else { None };
            let history = match remembered {
                Some(history) => history,
                None => exchanges(messages::spoken(&mut tx, conversation, before, 40).await?),
            };
            // What was archived is another session's.
            let history = match &returning {
                Some(earlier) => history.into_iter().filter(|exchange| exchange.at_ms > earlier.last_here_at.timestamp_millis()).collect(),
                None => history,
            };
            let hits = if shop.sells_products() { look_up(&mut tx, &words, &history).await? } else { Vec::new() };
            let book = match shop.takes_appointments() {
                true => Some(Book::read(&mut tx, customer, Some(conversation), clock, now).await?),
                false => None,
            };
            Ok::<_, DbError>(Prepared { history, returning, hits, book })
        })
        .await?;
    if was_lost
        && !prepared.history.is_empty()
        && let Err(error) = app.memory.replace(&turn.scope, conversation, &prepared.history).await
    {
        tracing::warn!(%error, "memory not rebuilt");
    }
    Ok(prepared)
}

/// A tap on our button, or words that are a clear yes to what was shown before: no model is needed.
fn answered_by_code(turn: &Turn, proposal: Option<&Proposal>, words: &str) -> Option<Course> {
    if let [said] = turn.said.as_slice()
        && let Content::Button { payload, .. } = &said.message.content
        && let Some(tap) = Tap::read(payload)
    {
        let asked = proposal.map(|proposal| proposal.id);
        return match tap {
            // Its payload is known only to who has seen the message: no need to compare clocks.
            Tap::Confirm(id) if asked == Some(id) && proposal?.shown_at.is_some() => Some(Course::Confirm),
            Tap::Decline(id) if asked == Some(id) => Some(Course::Decline),
            Tap::Confirm(_) | Tap::Decline(_) => Some(Course::Say(texts::render(&Text::ProposalGone, turn.language))),
        };
    }
    proposal.filter(|proposal| agrees(turn, proposal, words)).map(|_| Course::Confirm)
}

/// Every message of the turn was accepted after the proposal was out.
fn shown_before(turn: &Turn, proposal: &Proposal) -> bool {
    proposal.shown_at.is_some_and(|shown| turn.said.iter().all(|said| said.accepted_at_ms > shown.timestamp_millis()))
}

fn agrees(turn: &Turn, proposal: &Proposal, words: &str) -> bool {
    shown_before(turn, proposal)
        && turn.said.iter().all(|said| matches!(said.message.content, Content::Text { .. }))
        && judge_shown(words, &Shown { numbers: &numbers(proposal) }) == Verdict::Yes
}

/// The numbers that the customer saw: a yes may repeat these and no others.
pub(super) fn numbers(proposal: &Proposal) -> Vec<Decimal> {
    let mut numbers = vec![proposal.total.amount()];
    for line in &proposal.lines {
        numbers.extend([Decimal::from(line.quantity), line.price.amount(), line.price.times(line.quantity).amount()]);
    }
    numbers
}

/// The catalogue for the customer's words; if they hold nothing to look for ("two of them please"), for the last exchange's too.
pub(super) async fn look_up(tx: &mut ShopTx, words: &str, history: &[Exchange]) -> Result<Vec<Hit>, DbError> {
    let mut hits = catalogue::search(tx, words).await?;
    for exchange in history.iter().rev().take(2) {
        if hits.len() >= HITS {
            break;
        }
        for text in [&exchange.customer, &exchange.reply] {
            for hit in catalogue::search(tx, text).await? {
                if !hits.iter().any(|known| known.id == hit.id) {
                    hits.push(hit);
                }
            }
        }
    }
    hits.truncate(HITS);
    Ok(hits)
}

/// Pairs what was said with what was answered, the last ten of them.
pub(crate) fn exchanges(spoken: Vec<messages::SpokenRow>) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for line in spoken {
        let begins = line.direction == "in" && exchanges.last().is_none_or(|last| !last.reply.is_empty());
        if begins || exchanges.is_empty() {
            exchanges.push(Exchange { customer: String::new(), reply: String::new(), at_ms: line.created_at.timestamp_millis() });
        }
        if let Some(exchange) = exchanges.last_mut() {
            let side = if line.direction == "in" { &mut exchange.customer } else { &mut exchange.reply };
            if !side.is_empty() {
                side.push('\n');
            }
            side.push_str(&line.body);
        }
    }
    let surplus = exchanges.len().saturating_sub(10);
    exchanges.drain(..surplus);
    exchanges
}

/// What code says when the model's own words may not be sent.
pub(super) fn fallback(hits: &[Hit], shop: &ShopProfile, language: Language) -> Reply {
    let products: Vec<(String, Decimal)> = hits.iter().take(5).map(|hit| (hit.name.clone(), hit.price.amount())).collect();
    Reply::ai("reply", texts::render(&Text::Fallback { products: &products, currency: &shop.currency }, language))
}
