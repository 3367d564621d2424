//! What all parts of the sandbox share, and the typed access that tests use.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{Account, AccountTable};
use crate::book::{Author, Book, Change, ConversationId, Entry, PhoneEvent};
use crate::clock::now_ms;
use crate::config::SandboxConfig;
use crate::customers::Customer;
use crate::faults::{FaultBoard, Faults};
use crate::google::Google;
use crate::log::Log;
use crate::meta::inbound::{self, Inbound};
use crate::meta::webhooks::{self, Update};
use crate::records::{Delivery, Mail, ModelCall, ReceivedSend, SendKind};
use crate::stripe::Stripe;

/// Most sends kept.
const MAX_SENDS: usize = 100_000;
/// Most model calls kept (bodies: `MODEL_BODIES_KEPT`).
const MAX_MODEL_CALLS: usize = 100_000;
/// Requests and answers are kept for that many of the newest model calls.
const MODEL_BODIES_KEPT: u64 = 1_000;
/// Most webhook attempts kept.
const MAX_DELIVERIES: usize = 20_000;
/// Most e-mails kept.
const MAX_MAILS: usize = 2_000;
/// Most webhook POSTs on their way at once.
const MAX_CONCURRENT_DELIVERIES: usize = 512;
/// Events a slow phone page may fall behind before it has to load the chat anew.
const EVENT_BACKLOG: usize = 4_096;

#[expect(clippy::disallowed_methods, reason = "the providers' side of the wire: their own clients, with their own deadline")]
fn webhook_client(config: &SandboxConfig, agent: &str) -> anyhow::Result<reqwest::Client> {
    reqwest::ClientBuilder::new()
        .timeout(Duration::from_millis(config.speed.webhook_timeout_ms))
        .user_agent(agent)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .context("HTTP client for webhooks")
}

/// The sandbox's memory. Cheap to share; every method locks shortly.
pub struct State {
    pub(crate) config: SandboxConfig,
    pub(crate) accounts: RwLock<AccountTable>,
    pub(crate) faults: FaultBoard,
    pub(crate) book: Book,
    pub(crate) sends: Log<ReceivedSend>,
    pub(crate) calls: Log<ModelCall>,
    pub(crate) deliveries: Log<Delivery>,
    pub(crate) mails: Log<Mail>,
    pub(crate) google: Google,
    pub(crate) stripe: Stripe,
    pub(crate) events: broadcast::Sender<PhoneEvent>,
    pub(crate) client: reqwest::Client,
    pub(crate) stripe_client: reqwest::Client,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) base_url: OnceLock<String>,
    pub(crate) delivery_slots: Semaphore,
    pub(crate) waiting_updates: Mutex<Vec<Update>>,
    pub(crate) media_downloads: AtomicU64,
    clock_ahead_ms: AtomicI64,
    webhook_url: RwLock<Option<String>>,
    number_use: Mutex<HashMap<String, (i64, u32)>>,
}

impl State {
    pub(crate) fn new(config: SandboxConfig) -> anyhow::Result<Self> {
        let mut accounts = AccountTable::default();
        for account in &config.accounts {
            accounts.add(account.clone())?;
        }
        // Fails only if a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = webhook_client(&config, "facebookexternalua")?;
        let stripe_client = webhook_client(&config, "Stripe/1.0 (+https://stripe.com/docs/webhooks)")?;
        Ok(Self {
            accounts: RwLock::new(accounts),
            faults: FaultBoard::default(),
            book: Book::default(),
            sends: Log::new(MAX_SENDS),
            calls: Log::new(MAX_MODEL_CALLS),
            deliveries: Log::new(MAX_DELIVERIES),
            mails: Log::new(MAX_MAILS),
            google: Google::new(&config.google_users),
            stripe: Stripe::new(&config),
            events: broadcast::channel(EVENT_BACKLOG).0,
            client,
            stripe_client,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            base_url: OnceLock::new(),
            delivery_slots: Semaphore::new(MAX_CONCURRENT_DELIVERIES),
            waiting_updates: Mutex::new(Vec::new()),
            media_downloads: AtomicU64::new(0),
            clock_ahead_ms: AtomicI64::new(0),
            webhook_url: RwLock::new(config.webhook_url.clone()),
            number_use: Mutex::new(HashMap::new()),
            config,
        })
    }

    pub(crate) fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    pub(crate) fn webhook_url(&self) -> Option<String> {
        self.webhook_url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_webhook_url(&self, url: Option<String>) {
        *self.webhook_url.write().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// The time on the wire, Unix ms: the real one, and as much ahead as the clock was moved.
    pub fn wire_ms(&self) -> i64 {
        self.on_the_wire(now_ms())
    }

    /// A time of the real clock, as it is on the wire.
    pub(crate) fn on_the_wire(&self, real_ms: i64) -> i64 {
        real_ms.saturating_add(self.clock_ahead_ms.load(Ordering::SeqCst))
    }

    pub(crate) fn move_clock(&self, by_ms: i64) {
        self.clock_ahead_ms.fetch_add(by_ms.max(0), Ordering::SeqCst);
    }

    pub(crate) fn with_accounts<T>(&self, f: impl FnOnce(&AccountTable) -> T) -> T {
        f(&self.accounts.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change_accounts<T>(&self, f: impl FnOnce(&mut AccountTable) -> T) -> T {
        f(&mut self.accounts.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a task that ends when the sandbox stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Tells open phone pages.
    pub(crate) fn tell(&self, id: &ConversationId, what: impl FnOnce() -> Change) {
        if self.events.receiver_count() > 0 {
            let event = PhoneEvent { account: id.account.clone(), customer: id.customer.clone(), what: what() };
            // Only fails when the last page has just closed.
            let _ = self.events.send(event);
        }
    }

    /// Counts a message of this number; `false` when the second's share is used up.
    pub(crate) fn take_number_slot(&self, account: &str, now: i64) -> bool {
        let limit = self.config.limits.number_per_second;
        if limit == 0 {
            return true;
        }
        let mut table = self.number_use.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = table.entry(account.to_owned()).or_insert((0, 0));
        let second = now.div_euclid(1000);
        if entry.0 != second {
            *entry = (second, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= limit
    }

    /// Records a model call and drops the bodies of old ones.
    pub(crate) fn model_called(&self, call: ModelCall) -> u64 {
        let seq = self.calls.push(call);
        if let Some(old) = seq.checked_sub(MODEL_BODIES_KEPT) {
            self.calls.update(old, |c| {
                c.request = None;
                c.response = None;
            });
        }
        seq
    }

    // ---- what tests use -------------------------------------------------------------------------

    /// The account with this id.
    pub fn account(&self, id: &str) -> Option<Arc<Account>> {
        self.with_accounts(|t| t.get(id))
    }

    /// All accounts, in the order they were registered.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        self.with_accounts(AccountTable::all)
    }

    /// Registers an account, or replaces the one with its id.
    ///
    /// # Errors
    /// When it is incomplete, or there are too many.
    pub fn register(&self, account: Account) -> anyhow::Result<()> {
        self.change_accounts(|t| t.add(account))
    }

    /// From now on this token is answered with 190.
    pub fn revoke_token(&self, token: &str) {
        self.change_accounts(|t| t.revoke(token));
    }

    /// The token ends then, Unix seconds: until then `debug_token` says so, after it the token is answered with 190.
    pub fn end_token(&self, token: &str, at: i64) {
        self.change_accounts(|t| t.end(token, at));
    }

    /// No webhooks of this account come any more, until it is subscribed again.
    pub fn unsubscribe(&self, account: &str) {
        self.change_accounts(|t| t.unsubscribe(account));
    }

    /// Takes a revocation back.
    pub fn restore_token(&self, token: &str) {
        self.change_accounts(|t| t.restore(token));
    }

    /// Reads or changes the faults in force.
    pub fn faults<T>(&self, f: impl FnOnce(&mut Faults) -> T) -> T {
        self.faults.with(f)
    }

    /// Messages accepted for delivery, oldest first.
    pub fn sends(&self) -> Vec<ReceivedSend> {
        self.sends.list(0, usize::MAX, |s| s.kind == SendKind::Message && s.refusal.is_none())
    }

    /// Every call to a send endpoint, refused ones and typing indicators too, oldest first.
    pub fn send_calls(&self) -> Vec<ReceivedSend> {
        self.sends.list(0, usize::MAX, |_| true)
    }

    /// The number of the newest send call; pass it as `after` to wait for what comes next.
    pub fn last_send_seq(&self) -> u64 {
        self.sends.last_seq()
    }

    /// Waits until `count` messages numbered above `after` were accepted for this customer (any id of
    /// theirs) of this account, and gives them; fewer if `wait` is over first.
    pub async fn wait_for_sends(&self, account: &str, customer: &str, after: u64, count: usize, wait: Duration) -> Vec<ReceivedSend> {
        let key = self.book.find(account, customer).map_or_else(|| customer.to_owned(), |id| id.customer);
        let mine = |s: &ReceivedSend| {
            s.kind == SendKind::Message && s.refusal.is_none() && s.account == account && s.customer.as_deref() == Some(&key)
        };
        self.sends.wait(after, count, usize::MAX, wait, mine).await
    }

    /// Model calls, oldest first.
    pub fn model_calls(&self) -> Vec<ModelCall> {
        self.calls.list(0, usize::MAX, |_| true)
    }

    /// Attempts to deliver webhooks, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.list(0, usize::MAX, |_| true)
    }

    /// Waits until `count` attempts match, and gives them; fewer if `wait` is over first.
    pub async fn wait_for_deliveries(&self, count: usize, wait: Duration, matches: impl FnMut(&Delivery) -> bool) -> Vec<Delivery> {
        self.deliveries.wait(0, count, usize::MAX, wait, matches).await
    }

    /// How often a customer's file was asked for, in vain or not.
    pub fn media_downloads(&self) -> u64 {
        self.media_downloads.load(Ordering::Relaxed)
    }

    /// E-mails received, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.list(0, usize::MAX, |_| true)
    }

    /// Waits until `count` e-mails match, and gives them; fewer if `wait` is over first.
    pub async fn wait_for_mails(&self, count: usize, wait: Duration, matches: impl FnMut(&Mail) -> bool) -> Vec<Mail> {
        self.mails.wait(0, count, usize::MAX, wait, matches).await
    }

    /// The chat as the customer sees it; `None` if there is none with this customer.
    pub fn transcript(&self, account: &str, customer: &str) -> Option<Vec<Entry>> {
        self.book.transcript(&self.book.find(account, customer)?)
    }

    /// Makes the customer's last message older, to close the window.
    pub fn age_conversation(&self, account: &str, customer: &str, by_ms: i64) -> bool {
        self.book.find(account, customer).is_some_and(|id| self.book.age(&id, by_ms))
    }

    /// The customer sends a message; its webhook goes out at once. Gives the message's id.
    ///
    /// # Errors
    /// When there is no such account, or the customer or message does not fit the platform.
    pub fn customer_says(self: &Arc<Self>, account: &str, customer: &Customer, message: &Inbound) -> anyhow::Result<String> {
        let prepared = inbound::prepare(self, account, customer, message)?;
        let id = prepared.message_id.clone();
        webhooks::push(self, prepared.update);
        Ok(id)
    }

    /// A person at the shop answers from their own phone or Meta's inbox; the echo goes out at once.
    /// Gives the message's id.
    ///
    /// # Errors
    /// When there is no such account or customer.
    pub fn human_answers(self: &Arc<Self>, account: &str, customer: &str, text: &str) -> anyhow::Result<String> {
        let account = self.account(account).context("no such account")?;
        let id = self.book.find(&account.id, customer).context("no such customer")?;
        let (message_id, update) = inbound::human_echo(self, &account, &id, text)?;
        let entry = Entry {
            at_ms: self.wire_ms(),
            id: message_id.clone(),
            author: Author::Human,
            kind: "text".to_owned(),
            text: Some(text.to_owned()),
            link: None,
            buttons: Vec::new(),
            receipt: None,
            answered_after_ms: None,
            about: None,
        };
        self.book.shop_wrote(&id, entry.clone());
        self.tell(&id, || Change::Entry { entry: Box::new(entry) });
        webhooks::push(self, update);
        Ok(message_id)
    }

    /// Forgets sends, calls, mails, chats and faults; accounts, revoked tokens and the clock stay.
    pub fn reset(&self) {
        self.faults.with(|f| *f = Faults::default());
        self.book.clear();
        self.sends.clear();
        self.calls.clear();
        self.deliveries.clear();
        self.mails.clear();
        self.google.clear(&self.config.google_users);
        self.stripe.clear(&self.config, self.wire_ms() / 1000);
        self.waiting_updates.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let nowhere = ConversationId { account: String::new(), customer: String::new() };
        self.tell(&nowhere, || Change::Reset);
    }
}
