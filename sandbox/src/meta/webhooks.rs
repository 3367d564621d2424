//! Delivers webhooks as Meta does: escaped, signed, at least once, in no particular order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::accounts::{Account, Platform};
use crate::clock::now_ms;
use crate::faults::WebhookFaults;
use crate::ids;
use crate::records::Delivery;
use crate::signature::{escape_like_meta, hub_signature};
use crate::state::State;

/// Meta puts at most that many updates into one POST.
const MAX_BATCH: usize = 1_000;
/// Updates under way or waiting; more are recorded as lost.
const MAX_PENDING: usize = 100_000;
/// Most copies of one POST.
const MAX_COPIES: u32 = 1_000;

static PENDING: AtomicUsize = AtomicUsize::new(0);

/// One thing that happened: a WhatsApp `changes` element, or a `messaging` item.
#[derive(Clone)]
pub(crate) struct Update {
    pub(crate) account: Arc<Account>,
    pub(crate) item: Value,
}

/// How a group of updates is to be delivered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    pub(crate) copies: u32,
    pub(crate) bad_entry: bool,
    pub(crate) wrong_signature: bool,
}

/// Counts what is under way, also when a task is cancelled.
struct Pending(usize);

impl Pending {
    fn enter(count: usize) -> Option<Self> {
        let before = PENDING.fetch_add(count, Ordering::Relaxed);
        let entered = Self(count);
        (before + count <= MAX_PENDING).then_some(entered)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        PENDING.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// Sends an update on its way, under the faults in force.
pub(crate) fn push(state: &Arc<State>, update: Update) {
    let faults = state.faults.webhooks(&update.account.id, false);
    let Some(pending) = Pending::enter(1) else {
        record_lost(state, &[update], "too many updates are waiting");
        return;
    };
    let wait = faults.delay_ms + random_up_to(faults.jitter_ms);
    let shared = state.clone();
    state.spawn(async move {
        let _pending = pending;
        if wait > 0 {
            sleep(Duration::from_millis(wait)).await;
        }
        if faults.batch_window_ms > 0 || faults.reorder {
            collect(&shared, update, &faults).await;
        } else {
            deliver_under_faults(&shared, vec![update]).await;
        }
    });
}

/// As `push`, and waits until the first attempt at delivery is over (or 5 s).
pub(crate) async fn push_and_wait(state: &Arc<State>, update: Update) {
    let shared = state.clone();
    let delivery = deliver_under_faults(&shared, vec![update]);
    // Only the order matters to the caller; a slow receiver must not hold it up for ever.
    let _ = tokio::time::timeout(Duration::from_secs(5), delivery).await;
}

/// Puts an update with others that come within the window; the first one in sends them all.
async fn collect(state: &Arc<State>, update: Update, faults: &WebhookFaults) {
    let first = {
        let mut waiting = state.waiting_updates.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(update);
        waiting.len() == 1
    };
    if !first {
        return;
    }
    // Shuffling alone needs some updates to shuffle.
    let window = if faults.batch_window_ms > 0 { faults.batch_window_ms } else { 100 };
    sleep(Duration::from_millis(window)).await;
    let mut updates = {
        let mut waiting = state.waiting_updates.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting)
    };
    if faults.reorder {
        shuffle(&mut updates);
    }
    if faults.batch_window_ms > 0 {
        deliver_under_faults(state, updates).await;
    } else {
        for update in updates {
            let shared = state.clone();
            state.spawn(async move { deliver_under_faults(&shared, vec![update]).await });
        }
    }
}

async fn deliver_under_faults(state: &Arc<State>, updates: Vec<Update>) {
    let Some(account) = updates.first().map(|u| u.account.id.clone()) else { return };
    let faults = state.faults.webhooks(&account, true);
    if faults.drop {
        record_lost(state, &updates, "dropped on command");
        return;
    }
    let manner =
        Manner { copies: 1 + faults.duplicates.min(MAX_COPIES), bad_entry: faults.bad_entry, wrong_signature: faults.wrong_signature };
    deliver(state, updates, manner).await;
}

/// Delivers updates in as few POSTs as may be, all copies at once; returns when each was delivered or lost.
pub(crate) async fn deliver(state: &Arc<State>, updates: Vec<Update>, manner: Manner) {
    let mut posts = Vec::new();
    for platform in [Platform::Whatsapp, Platform::Messenger, Platform::Instagram] {
        for signed_by_instagram in [false, true] {
            let group: Vec<Update> = updates
                .iter()
                .filter(|u| u.account.platform == platform && u.account.signed_by_instagram() == signed_by_instagram)
                .filter(|u| state.with_accounts(|t| t.is_subscribed(&u.account.id)))
                .cloned()
                .collect();
            for chunk in group.chunks(MAX_BATCH) {
                posts.push(Post::new(state, chunk, manner));
            }
        }
    }
    let copies = manner.copies.clamp(1, MAX_COPIES);
    let attempts = posts.into_iter().flat_map(|post| {
        let post = Arc::new(post);
        (0..copies).map(move |_| post.clone())
    });
    futures_util::future::join_all(attempts.map(|post| send_until_accepted(state, post))).await;
}

/// One POST, serialised and signed once: all copies and attempts carry the same bytes.
struct Post {
    object: &'static str,
    accounts: Vec<Arc<Account>>,
    updates: usize,
    body: String,
    signature: String,
}

impl Post {
    fn new(state: &State, updates: &[Update], manner: Manner) -> Self {
        let account = &updates[0].account;
        let body = escape_like_meta(&payload(account.platform, updates, manner.bad_entry, state.wire_ms()).to_string());
        let secret = match account.signed_by_instagram() {
            _ if manner.wrong_signature => "not the app's secret",
            true => &state.config.instagram_app_secret,
            false => &state.config.app_secret,
        };
        let signature = hub_signature(secret, body.as_bytes());
        let mut accounts: Vec<Arc<Account>> = Vec::new();
        for update in updates {
            if !accounts.iter().any(|a| a.id == update.account.id) {
                accounts.push(update.account.clone());
            }
        }
        Self { object: account.platform.object(), accounts, updates: updates.len(), body, signature }
    }
}

/// The envelope around updates: one entry per WABA, Page or Instagram account.
pub(crate) fn payload(platform: Platform, updates: &[Update], bad_entry: bool, at_ms: i64) -> Value {
    let key = if platform == Platform::Whatsapp { "changes" } else { "messaging" };
    let mut entries: Vec<(String, Vec<Value>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for update in updates {
        let id = update.account.entry_id();
        let place = *places.entry(id.to_owned()).or_insert_with(|| {
            entries.push((id.to_owned(), Vec::new()));
            entries.len() - 1
        });
        entries[place].1.push(update.item.clone());
    }
    let mut list: Vec<Value> = entries
        .into_iter()
        .map(|(id, items)| {
            let mut entry = json!({ "id": id, key: items });
            if platform != Platform::Whatsapp {
                entry["time"] = at_ms.into();
            }
            entry
        })
        .collect();
    if bad_entry {
        // In the middle, so that what comes after it is at stake too.
        list.insert(list.len() / 2, json!({ "id": 7, "time": "yesterday", key: { "field": [null] } }));
    }
    json!({ "object": platform.object(), "entry": list })
}

async fn send_until_accepted(state: &Arc<State>, post: Arc<Post>) {
    let speed = &state.config.speed;
    let delivery = ids::random_text::<9>();
    let started = now_ms();
    let mut gap = speed.retry_first_ms;
    for attempt in 1u32.. {
        let Ok(slot) = state.delivery_slots.acquire().await else { return };
        let sent_at_ms = now_ms();
        let (status, mut error) = post_once(state, &post).await;
        drop(slot);
        let accepted = status == Some(200);
        let failing_ms = u64::try_from(now_ms() - started).unwrap_or(0);
        let lost = !accepted && failing_ms + gap > speed.give_up_ms;
        if !accepted && speed.unsubscribe_ms.is_some_and(|limit| failing_ms > limit) {
            for account in post.accounts.iter().filter(|a| a.platform != Platform::Whatsapp) {
                state.change_accounts(|t| t.unsubscribe(&account.id));
                error = Some("failed for too long: the app was unsubscribed".to_owned());
            }
        }
        state.deliveries.push(Delivery {
            seq: 0,
            delivery: delivery.clone(),
            attempt,
            object: post.object.to_owned(),
            accounts: post.accounts.iter().map(|a| a.id.clone()).collect(),
            updates: post.updates,
            sent_at_ms,
            took_ms: now_ms() - sent_at_ms,
            status,
            error,
            lost,
            body: post.body.clone(),
        });
        if accepted || lost {
            return;
        }
        sleep(Duration::from_millis(gap)).await;
        gap = gap.saturating_mul(2).min(speed.retry_max_ms);
    }
}

async fn post_once(state: &State, post: &Post) -> (Option<u16>, Option<String>) {
    let Some(url) = state.webhook_url() else {
        return (None, Some("no webhook address is set".to_owned()));
    };
    let request = state
        .client
        .post(url)
        .header("content-type", "application/json")
        .header("x-hub-signature-256", &post.signature)
        .header("accept", "*/*")
        .body(post.body.clone());
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            (Some(status), (status != 200).then(|| format!("answered {status}, not 200")))
        }
        Err(error) => (None, Some(describe(&error))),
    }
}

/// The innermost cause: reqwest's own message only says that sending failed.
pub(crate) fn describe(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn record_lost(state: &State, updates: &[Update], why: &str) {
    let Some(first) = updates.first() else { return };
    state.deliveries.push(Delivery {
        seq: 0,
        delivery: ids::random_text::<9>(),
        attempt: 0,
        object: first.account.platform.object().to_owned(),
        accounts: updates.iter().map(|u| u.account.id.clone()).take(MAX_BATCH).collect(),
        updates: updates.len(),
        sent_at_ms: now_ms(),
        took_ms: 0,
        status: None,
        error: Some(why.to_owned()),
        lost: true,
        body: String::new(),
    });
}

pub(crate) fn random_up_to(max: u64) -> u64 {
    if max == 0 { 0 } else { rand::random::<u64>() % (max + 1) }
}

pub(crate) fn shuffle<T>(items: &mut [T]) {
    for i in (1..items.len()).rev() {
        let j = usize::try_from(random_up_to(i as u64)).unwrap_or(0);
        items.swap(i, j);
    }
}
