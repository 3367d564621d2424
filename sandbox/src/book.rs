//! The conversations as Meta sees them: who wrote when, what stands in the chat, which window is open.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accounts::Account;
use crate::customers::{Customer, Identity};

/// Most conversations held at once.
const MAX_CONVERSATIONS: usize = 100_000;
/// Most entries kept of one conversation.
const MAX_ENTRIES: usize = 500;
/// Most message ids remembered for "mark as read".
const MAX_INBOUND_IDS: usize = 200_000;
/// Messages one customer may be sent in a row before the pair limit bites, and how often one more is
/// allowed (Meta: one per 6 s, 45 borrowed from the future).
const PAIR_BURST: f64 = 45.0;
const PAIR_PER_MS: f64 = 1.0 / 6_000.0;

/// A conversation: an account and a customer's key there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ConversationId {
    /// Account id.
    pub(crate) account: String,
    /// The customer's phone digits, business-scoped id, or scoped id.
    pub(crate) customer: String,
}

/// Who wrote an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The customer.
    Customer,
    /// The product under test, through the send API.
    Shop,
    /// A person at the shop, from their own phone or Meta's inbox.
    Human,
}

/// How far a message to the customer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// Accepted.
    Sent,
    /// On the customer's device.
    Delivered,
    /// Seen.
    Read,
    /// Not delivered.
    Failed,
}

/// A reply button or quick reply under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Id or payload that comes back when it is tapped.
    pub id: String,
    /// What it says.
    pub title: String,
}

/// One bubble of the chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// When it was sent or received, Unix ms.
    pub at_ms: i64,
    /// The provider's id.
    pub id: String,
    /// Who wrote it.
    pub author: Author,
    /// `text`, `image`, `interactive`, …
    pub kind: String,
    /// Its text or caption.
    pub text: Option<String>,
    /// Link of a picture, if it has one.
    pub link: Option<String>,
    /// Buttons under it.
    pub buttons: Vec<Button>,
    /// Delivery state of what the shop sent.
    pub receipt: Option<Receipt>,
    /// ms since the customer's last message, for what the shop sent.
    pub answered_after_ms: Option<i64>,
    /// The id of the message it answers or reacts to.
    pub about: Option<String>,
}

/// A conversation in a list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) account: String,
    pub(crate) customer: Identity,
    pub(crate) last_at_ms: Option<i64>,
    pub(crate) last_text: Option<String>,
}

struct Conversation {
    who: Identity,
    entries: VecDeque<Entry>,
    last_customer_ms: Option<i64>,
    typing_until_ms: Option<i64>,
    pair_tokens: f64,
    pair_at_ms: i64,
}

#[derive(Default)]
struct Inner {
    conversations: HashMap<ConversationId, Conversation>,
    aliases: HashMap<ConversationId, String>,
    inbound: HashMap<String, ConversationId>,
    inbound_order: VecDeque<String>,
}

/// All conversations. Every method is one short lock.
#[derive(Default)]
pub(crate) struct Book(Mutex<Inner>);

impl Book {
    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn on<T>(&self, id: &ConversationId, f: impl FnOnce(&mut Conversation) -> T) -> Option<T> {
        self.with(|book| book.conversations.get_mut(id).map(f))
    }

    /// The customer's conversation with this account, made if it is new.
    pub(crate) fn open(&self, account: &Account, customer: &Customer) -> anyhow::Result<(ConversationId, Identity)> {
        let mut who = Identity::of(account, customer)?;
        let alias = |id: &str| ConversationId { account: account.id.clone(), customer: id.to_owned() };
        self.with(|book| {
            let known = who.aliases().find_map(|id| book.aliases.get(&alias(id)).cloned());
            if let Some(known) = &known {
                who.key.clone_from(known);
            } else if book.conversations.len() >= MAX_CONVERSATIONS {
                bail!("the sandbox holds at most {MAX_CONVERSATIONS} conversations");
            }
            for id in who.aliases() {
                book.aliases.insert(alias(id), who.key.clone());
            }
            let id = alias(&who.key);
            let conversation = book.conversations.entry(id.clone()).or_insert_with(|| Conversation {
                who: who.clone(),
                entries: VecDeque::new(),
                last_customer_ms: None,
                typing_until_ms: None,
                pair_tokens: PAIR_BURST,
                pair_at_ms: 0,
            });
            if customer.name.is_some() {
                conversation.who.name.clone_from(&who.name);
            }
            if who.username.is_some() {
                conversation.who.username.clone_from(&who.username);
            }
            // What this webhook carries is what this call named; what is known stays known.
            conversation.who.phone = conversation.who.phone.take().or_else(|| who.phone.clone());
            who.name.clone_from(&conversation.who.name);
            Ok((id, who))
        })
    }

    /// The conversation that any id of the customer leads to.
    pub(crate) fn find(&self, account: &str, any_id: &str) -> Option<ConversationId> {
        let alias = ConversationId { account: account.to_owned(), customer: any_id.to_owned() };
        self.with(|book| {
            let key = book.aliases.get(&alias)?.clone();
            Some(ConversationId { account: alias.account, customer: key })
        })
    }

    pub(crate) fn identity(&self, id: &ConversationId) -> Option<Identity> {
        self.on(id, |c| c.who.clone())
    }

    /// The customer wrote at `at_ms`: the chat grows and the window renews.
    pub(crate) fn customer_wrote(&self, id: &ConversationId, entry: Entry, opens_window: bool) {
        self.with(|book| {
            if book.inbound.insert(entry.id.clone(), id.clone()).is_none() {
                book.inbound_order.push_back(entry.id.clone());
                if book.inbound_order.len() > MAX_INBOUND_IDS
                    && let Some(oldest) = book.inbound_order.pop_front()
                {
                    book.inbound.remove(&oldest);
                }
            }
            if let Some(conversation) = book.conversations.get_mut(id) {
                if opens_window {
                    conversation.last_customer_ms = conversation.last_customer_ms.max(Some(entry.at_ms));
                }
                append(conversation, entry);
            }
        });
    }

    /// A message to the customer, by the product or a person. Gives the ms since the customer's last message.
    pub(crate) fn shop_wrote(&self, id: &ConversationId, mut entry: Entry) -> Option<i64> {
        self.on(id, |c| {
            entry.answered_after_ms = c.last_customer_ms.map(|t| entry.at_ms - t);
            c.typing_until_ms = None;
            let after = entry.answered_after_ms;
            append(c, entry);
            after
        })?
    }

    /// Moves a receipt forward; `false` when it would go back or the message is gone.
    pub(crate) fn receipt(&self, id: &ConversationId, message: &str, receipt: Receipt) -> bool {
        self.on(id, |c| {
            let entry = c.entries.iter_mut().rev().find(|e| e.id == message);
            entry.is_some_and(|e| {
                let forward = e.receipt.is_none_or(|now| now < receipt);
                if forward {
                    e.receipt = Some(receipt);
                }
                forward
            })
        })
        .unwrap_or(false)
    }

    /// Marks the customer's messages up to this one as read by the shop.
    pub(crate) fn shop_read(&self, id: &ConversationId, message: Option<&str>) {
        self.on(id, |c| {
            let upto = message.and_then(|m| c.entries.iter().position(|e| e.id == m));
            let upto = upto.unwrap_or(c.entries.len().saturating_sub(1));
            for entry in c.entries.iter_mut().take(upto + 1).filter(|e| e.author == Author::Customer) {
                entry.receipt = Some(Receipt::Read);
            }
        });
    }

    pub(crate) fn set_typing(&self, id: &ConversationId, until_ms: Option<i64>) {
        self.on(id, |c| c.typing_until_ms = until_ms);
    }

    pub(crate) fn typing_until(&self, id: &ConversationId) -> Option<i64> {
        self.on(id, |c| c.typing_until_ms)?
    }

    /// When the customer last wrote, Unix ms.
    pub(crate) fn last_customer_ms(&self, id: &ConversationId) -> Option<i64> {
        self.on(id, |c| c.last_customer_ms)?
    }

    /// Makes the customer's last message older.
    pub(crate) fn age(&self, id: &ConversationId, by_ms: i64) -> bool {
        self.on(id, |c| c.last_customer_ms = c.last_customer_ms.map(|t| t.saturating_sub(by_ms))).is_some()
    }

    /// Takes one message out of the pair limit; `false` when there is none left.
    pub(crate) fn take_pair_token(&self, id: &ConversationId, now_ms: i64) -> bool {
        self.on(id, |c| {
            #[expect(clippy::cast_precision_loss, reason = "ms between two sends are far below 2^52")]
            let passed = (now_ms - c.pair_at_ms).max(0) as f64;
            c.pair_tokens = (c.pair_tokens + passed * PAIR_PER_MS).min(PAIR_BURST);
            c.pair_at_ms = now_ms;
            let enough = c.pair_tokens >= 1.0;
            if enough {
                c.pair_tokens -= 1.0;
            }
            enough
        })
        .unwrap_or(true)
    }

    /// The conversation in which the customer sent this message.
    pub(crate) fn of_inbound(&self, message: &str) -> Option<ConversationId> {
        self.with(|book| book.inbound.get(message).cloned())
    }

    pub(crate) fn transcript(&self, id: &ConversationId) -> Option<Vec<Entry>> {
        self.on(id, |c| c.entries.iter().cloned().collect())
    }

    pub(crate) fn list(&self, account: Option<&str>, limit: usize) -> Vec<Summary> {
        let mut all: Vec<Summary> = self.with(|book| {
            let wanted = book.conversations.iter().filter(|(id, _)| account.is_none_or(|a| a == id.account));
            wanted
                .map(|(id, c)| Summary {
                    account: id.account.clone(),
                    customer: c.who.clone(),
                    last_at_ms: c.entries.back().map(|e| e.at_ms),
                    last_text: c.entries.back().and_then(|e| e.text.clone()),
                })
                .collect()
        });
        all.sort_by_key(|s| std::cmp::Reverse(s.last_at_ms));
        all.truncate(limit);
        all
    }

    pub(crate) fn clear(&self) {
        self.with(|book| *book = Inner::default());
    }
}

fn append(conversation: &mut Conversation, entry: Entry) {
    conversation.entries.push_back(entry);
    if conversation.entries.len() > MAX_ENTRIES {
        conversation.entries.pop_front();
    }
}

/// What the phone page hears.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PhoneEvent {
    pub(crate) account: String,
    pub(crate) customer: String,
    #[serde(flatten)]
    pub(crate) what: Change,
}

/// A change in a conversation.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub(crate) enum Change {
    Entry { entry: Box<Entry> },
    Receipt { id: String, receipt: Receipt },
    SeenByShop,
    Typing { until_ms: Option<i64> },
    Reset,
}

/// The readable text, link and buttons of a message body as the send API takes it.
pub(crate) fn text_of(body: &Value, path: &str) -> Option<String> {
    body.pointer(path).and_then(Value::as_str).map(str::to_owned)
}
