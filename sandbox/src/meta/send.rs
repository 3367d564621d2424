//! `POST …/messages` on both hosts: check, accept, record, answer, and send receipts.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State as AxumState};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::errors::{MetaError, documented_status, title};
use super::graph::{GraphQuery, Host, authorize};
use super::status;
use super::validate::{Message, MessengerCall, SenderAction, messenger_call};
use super::validate_whatsapp::{Recipient, WhatsappCall, whatsapp_call};
use super::webhooks::random_up_to;
use crate::accounts::{Account, Platform};
use crate::book::{Author, Change, ConversationId, Entry, Receipt};
use crate::clock::now_ms;
use crate::customers::Customer;
use crate::faults::{MetaFailure, MetaFaults};
use crate::ids::{self, Direction};
use crate::model::{cut_short, hang};
use crate::records::{ReceivedSend, SendKind};
use crate::state::State;

/// WhatsApp shows "typing" at most that long, Messenger and Instagram 20 s.
const WHATSAPP_TYPING_MS: i64 = 25_000;
const MESSENGER_TYPING_MS: i64 = 20_000;
/// `HUMAN_AGENT` answers may come that long after the customer's message.
const HUMAN_AGENT_MS: i64 = 7 * 24 * 3_600_000;

type Parts = (AxumState<Arc<State>>, Path<(String, String)>, Query<GraphQuery>, HeaderMap);

/// `POST /graph/{version}/{id}/messages`.
pub(crate) async fn facebook(
    state: AxumState<Arc<State>>,
    path: Path<(String, String)>,
    query: Query<GraphQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    handle((state, path, query, headers), Host::Facebook, &body).await
}

/// `POST /instagram/{version}/{id|me}/messages`.
pub(crate) async fn instagram(
    state: AxumState<Arc<State>>,
    path: Path<(String, String)>,
    query: Query<GraphQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    handle((state, path, query, headers), Host::Instagram, &body).await
}

/// What an accepted call did.
struct Accepted {
    answer: Value,
    record: ReceivedSend,
    sent: Option<Sent>,
}

/// A message on its way to the customer.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) account: Arc<Account>,
    pub(crate) conversation: ConversationId,
    pub(crate) id: String,
    pub(crate) at_ms: i64,
    pub(crate) text: Option<String>,
    pub(crate) callback_data: Option<String>,
}

async fn handle(parts: Parts, host: Host, body: &[u8]) -> Response {
    let received_at_ms = now_ms();
    let (AxumState(state), Path((version, id)), Query(query), headers) = parts;
    let parsed: Result<Value, _> = serde_json::from_slice(body);
    let account = match authorize(&state, host, &version, &id, &headers, &query) {
        Ok(account) => account,
        Err(error) => {
            refuse(&state, state.account(&id).as_deref(), &id, received_at_ms, parsed.unwrap_or_default(), &error);
            return error.into_response();
        }
    };
    let is_message = parsed.as_ref().is_ok_and(|body| body.get("sender_action").is_none() && body.get("status").is_none());
    let faults = state.faults.meta_send(&account.id, is_message);
    let slow = faults.latency_ms + random_up_to(faults.jitter_ms);
    if slow > 0 {
        sleep(Duration::from_millis(slow)).await;
    }
    if let Some(response) = fail_before(&state, &account, &faults, received_at_ms, parsed.as_ref().ok()).await {
        return response;
    }
    let body = match parsed {
        Ok(body @ Value::Object(_)) => body,
        Ok(_) | Err(_) => {
            let error = MetaError::parameter("The request body is not a JSON object.");
            refuse(&state, Some(&account), &id, received_at_ms, Value::Null, &error);
            return error.into_response();
        }
    };
    match accept(&state, &account, &body, state.on_the_wire(received_at_ms)) {
        Ok(mut accepted) => {
            accepted.record.received_at_ms = received_at_ms;
            finish(&state, accepted, &faults).await
        }
        Err(error) => {
            refuse(&state, Some(&account), &id, received_at_ms, body, &error);
            error.into_response()
        }
    }
}

/// Faults that strike before anything is delivered.
async fn fail_before(state: &State, account: &Account, faults: &MetaFaults, received_at_ms: i64, body: Option<&Value>) -> Option<Response> {
    let body = || body.cloned().unwrap_or_default();
    let error = match faults.failure.as_ref()? {
        MetaFailure::Error { status, code, subcode, message } => {
            let mut error = MetaError::new(*code, message.clone().unwrap_or_else(|| format!("(#{code}) {}", title(*code))));
            error.status = status.unwrap_or_else(|| documented_status(*code));
            error.subcode = *subcode;
            if account.platform == Platform::Whatsapp && *code >= 130_000 {
                error.details = Some(title(*code).to_owned());
            }
            error
        }
        MetaFailure::Hang | MetaFailure::Cut | MetaFailure::HtmlPage => {
            let error = MetaError::new(1, "no answer, on command");
            refuse(state, Some(account), &account.id, received_at_ms, body(), &error);
            return Some(match faults.failure {
                Some(MetaFailure::Hang) => hang().await,
                Some(MetaFailure::Cut) => cut_short("{\"messaging_product\":\"whatsapp\",\"contacts\":[".to_owned()),
                _ => {
                    let page = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>";
                    (axum::http::StatusCode::BAD_GATEWAY, axum::response::Html(page)).into_response()
                }
            });
        }
        MetaFailure::HangAfterAccept | MetaFailure::CutAfterAccept | MetaFailure::LateFailed { .. } => return None,
    };
    refuse(state, Some(account), &account.id, received_at_ms, body(), &error);
    Some(error.into_response())
}

fn refuse(state: &State, account: Option<&Account>, id: &str, received_at_ms: i64, body: Value, error: &MetaError) {
    let typing = body.get("status").is_some() || body.get("sender_action").is_some();
    let named = ["/to", "/recipient", "/recipient/id"].iter().find_map(|p| body.pointer(p)?.as_str().map(str::to_owned));
    let known = named.and_then(|name| state.book.find(id, name.trim_start_matches('+')));
    state.sends.push(ReceivedSend {
        seq: 0,
        received_at_ms,
        platform: account.map_or(Platform::Whatsapp, |a| a.platform),
        account: account.map_or_else(|| id.to_owned(), |a| a.id.clone()),
        customer: known.map(|c| c.customer),
        kind: if typing { SendKind::MarkRead } else { SendKind::Message },
        text: ["/text/body", "/interactive/body/text", "/message/text"].iter().find_map(|p| body.pointer(p)?.as_str().map(str::to_owned)),
        provider_id: None,
        callback_data: None,
        refusal: Some(error.refusal()),
        answered: true,
        answered_after_ms: None,
        body,
    });
}

fn accept(state: &Arc<State>, account: &Arc<Account>, body: &Value, at_ms: i64) -> Result<Accepted, MetaError> {
    if account.platform == Platform::Whatsapp {
        return match whatsapp_call(body, account.country_code())? {
            WhatsappCall::Read { message_id, typing } => whatsapp_read(state, account, body, at_ms, &message_id, typing),
            WhatsappCall::Message { recipient, input, message, template } => {
                whatsapp_message(state, account, body, at_ms, &recipient, &input, message, template)
            }
        };
    }
    // Through a Page, a recipient may also be a customer of the linked Instagram account.
    let recipient = body.pointer("/recipient/id").and_then(Value::as_str).unwrap_or_default();
    let linked = state.with_accounts(|t| t.linked_instagram(&account.id));
    let account = linked.filter(|a| state.book.find(&a.id, recipient).is_some()).unwrap_or_else(|| account.clone());
    match messenger_call(body, account.platform)? {
        MessengerCall::Action { recipient, action } => messenger_action(state, &account, body, at_ms, &recipient, action),
        MessengerCall::Message { recipient, message, human_agent } => {
            messenger_message(state, &account, body, at_ms, &recipient, message, human_agent)
        }
    }
}

fn record(account: &Account, customer: &str, kind: SendKind, at_ms: i64, body: &Value) -> ReceivedSend {
    ReceivedSend {
        seq: 0,
        received_at_ms: at_ms,
        platform: account.platform,
        account: account.id.clone(),
        customer: Some(customer.to_owned()),
        kind,
        text: None,
        provider_id: None,
        callback_data: None,
        refusal: None,
        answered: true,
        answered_after_ms: None,
        body: body.clone(),
    }
}

fn whatsapp_read(
    state: &State,
    account: &Account,
    body: &Value,
    at_ms: i64,
    message_id: &str,
    typing: bool,
) -> Result<Accepted, MetaError> {
    let conversation = state.book.of_inbound(message_id).filter(|c| c.account == account.id);
    let conversation = conversation.ok_or_else(|| {
        let mut error = MetaError::parameter("Invalid parameter");
        error.details = Some("Message ID is not found or not a message received by this number.".to_owned());
        error
    })?;
    seen(state, &conversation, Some(message_id));
    if typing {
        set_typing(state, &conversation, Some(at_ms + WHATSAPP_TYPING_MS));
    }
    let kind = if typing { SendKind::Typing } else { SendKind::MarkRead };
    let record = record(account, &conversation.customer, kind, at_ms, body);
    Ok(Accepted { answer: json!({ "success": true }), record, sent: None })
}

fn seen(state: &State, conversation: &ConversationId, message_id: Option<&str>) {
    state.book.shop_read(conversation, message_id);
    state.tell(conversation, || Change::SeenByShop);
}

fn set_typing(state: &State, conversation: &ConversationId, until_ms: Option<i64>) {
    state.book.set_typing(conversation, until_ms);
    state.tell(conversation, || Change::Typing { until_ms });
}

#[expect(clippy::too_many_arguments, reason = "one call's parts, taken apart once")]
fn whatsapp_message(
    state: &Arc<State>,
    account: &Arc<Account>,
    body: &Value,
    at_ms: i64,
    recipient: &Recipient,
    input: &str,
    message: Message,
    template: bool,
) -> Result<Accepted, MetaError> {
    let (Recipient::Phone(name) | Recipient::Bsuid(name)) = recipient;
    if account.display_phone.as_deref() == Some(name) {
        return Err(MetaError::whatsapp(131_021, "Sender and recipient phone number is the same."));
    }
    if !state.take_number_slot(&account.id, at_ms) {
        return Err(MetaError::whatsapp(130_429, "Cloud API message throughput has been reached."));
    }
    let conversation = match state.book.find(&account.id, name) {
        Some(conversation) => conversation,
        None if template || state.config.limits.strangers => {
            let known_by = match recipient {
                Recipient::Phone(_) => Customer { phone: Some(name.clone()), ..Customer::default() },
                Recipient::Bsuid(_) => Customer { bsuid: Some(name.clone()), ..Customer::default() },
            };
            state.book.open(account, &known_by).map_err(|_| MetaError::whatsapp(131_026, "Message undeliverable."))?.0
        }
        // Nobody who ever wrote to this number: no window was ever open.
        None => return Err(outside_window(account.platform)),
    };
    if !template && !window_open(state, &conversation, at_ms, state.config.limits.window_ms) {
        return Err(outside_window(account.platform));
    }
    if state.config.limits.pair && !state.book.take_pair_token(&conversation, at_ms) {
        let details = "Message failed to send because there were too many messages sent from this phone number to the \
                       same phone number in a short period of time.";
        return Err(MetaError::whatsapp(131_056, details));
    }
    let (sent, record) = deliver(state, account, conversation, message, body, at_ms);
    let contact = match recipient {
        Recipient::Phone(phone) => json!({ "input": input, "wa_id": phone }),
        Recipient::Bsuid(id) => json!({ "input": input, "user_id": id }),
    };
    let mut answer = json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [{ "id": sent.id }] });
    if template {
        answer["messages"][0]["message_status"] = "accepted".into();
    }
    Ok(Accepted { answer, record, sent: Some(sent) })
}

fn messenger_action(
    state: &State,
    account: &Account,
    body: &Value,
    at_ms: i64,
    recipient: &str,
    action: SenderAction,
) -> Result<Accepted, MetaError> {
    let conversation = find_scoped(state, account, recipient)?;
    let kind = match action {
        SenderAction::TypingOn => {
            set_typing(state, &conversation, Some(at_ms + MESSENGER_TYPING_MS));
            SendKind::Typing
        }
        SenderAction::TypingOff => {
            set_typing(state, &conversation, None);
            SendKind::TypingOff
        }
        SenderAction::MarkSeen => {
            seen(state, &conversation, None);
            SendKind::MarkRead
        }
    };
    let record = record(account, &conversation.customer, kind, at_ms, body);
    Ok(Accepted { answer: json!({ "recipient_id": recipient }), record, sent: None })
}

fn find_scoped(state: &State, account: &Account, recipient: &str) -> Result<ConversationId, MetaError> {
    state.book.find(&account.id, recipient).ok_or_else(|| MetaError::new(100, "(#100) No matching user found").subcode(2_018_001))
}

fn messenger_message(
    state: &Arc<State>,
    account: &Arc<Account>,
    body: &Value,
    at_ms: i64,
    recipient: &str,
    message: Message,
    human_agent: bool,
) -> Result<Accepted, MetaError> {
    let conversation = match find_scoped(state, account, recipient) {
        Err(_) if state.config.limits.strangers => {
            let stranger = Customer { psid: Some(recipient.to_owned()), ..Customer::default() };
            state.book.open(account, &stranger).map_err(|_| MetaError::new(100, "(#100) No matching user found").subcode(2_018_001))?.0
        }
        found => found?,
    };
    let window = if human_agent { HUMAN_AGENT_MS } else { state.config.limits.window_ms };
    if !window_open(state, &conversation, at_ms, window) {
        return Err(outside_window(account.platform));
    }
    let (sent, record) = deliver(state, account, conversation, message, body, at_ms);
    let answer = json!({ "recipient_id": recipient, "message_id": sent.id });
    Ok(Accepted { answer, record, sent: Some(sent) })
}

fn window_open(state: &State, conversation: &ConversationId, now: i64, window_ms: i64) -> bool {
    window_ms == 0 || state.book.last_customer_ms(conversation).map_or(state.config.limits.strangers, |last| now - last <= window_ms)
}

fn outside_window(platform: Platform) -> MetaError {
    if platform == Platform::Whatsapp {
        let details = "Message failed to send because more than 24 hours have passed since the customer last replied to \
                       this number.";
        return MetaError::whatsapp(131_047, details);
    }
    let subcode = if platform == Platform::Messenger { 2_018_278 } else { 2_534_022 };
    MetaError::new(10, "(#10) This message is sent outside of allowed window.").subcode(subcode)
}

/// Puts a message into the chat.
fn deliver(
    state: &State,
    account: &Arc<Account>,
    conversation: ConversationId,
    message: Message,
    body: &Value,
    at_ms: i64,
) -> (Sent, ReceivedSend) {
    let id = ids::message_id(account.platform, &conversation.customer, Direction::ToCustomer);
    let mut entry = Entry {
        at_ms,
        id: id.clone(),
        author: Author::Shop,
        kind: message.kind,
        text: message.text.clone(),
        link: message.link,
        buttons: message.buttons,
        receipt: None,
        answered_after_ms: None,
        about: message.about,
    };
    entry.answered_after_ms = state.book.shop_wrote(&conversation, entry.clone());
    let mut record = record(account, &conversation.customer, SendKind::Message, at_ms, body);
    record.text.clone_from(&message.text);
    record.provider_id = Some(id.clone());
    record.callback_data.clone_from(&message.callback_data);
    record.answered_after_ms = entry.answered_after_ms;
    state.tell(&conversation, || Change::Entry { entry: Box::new(entry) });
    let (text, callback_data) = (message.text, message.callback_data);
    (Sent { account: account.clone(), conversation, id, at_ms, text, callback_data }, record)
}

/// Records the call, starts its receipts and answers, as the faults have it.
async fn finish(state: &Arc<State>, accepted: Accepted, faults: &MetaFaults) -> Response {
    let Accepted { answer, mut record, sent } = accepted;
    let unanswered = matches!(faults.failure, Some(MetaFailure::HangAfterAccept | MetaFailure::CutAfterAccept));
    let is_message = sent.is_some();
    record.answered = !(unanswered && is_message);
    state.sends.push(record);
    if let Some(sent) = sent {
        if let Some(MetaFailure::LateFailed { code }) = faults.failure {
            status::fail_later(state, sent, code);
        } else if !faults.no_receipts {
            if faults.receipts_before_answer {
                status::first_receipt(state, &sent, true).await;
                status::later_receipts(state, sent, faults.read_without_delivered);
            } else {
                status::all_receipts(state, sent, faults.read_without_delivered);
            }
        } else {
            state.book.receipt(&sent.conversation, &sent.id, Receipt::Sent);
        }
    }
    match faults.failure {
        Some(MetaFailure::HangAfterAccept) if is_message => hang().await,
        Some(MetaFailure::CutAfterAccept) if is_message => cut_short(answer.to_string()),
        _ => axum::Json(answer).into_response(),
    }
}
