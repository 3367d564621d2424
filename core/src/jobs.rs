//! The catalogue of all jobs: name, payload, result, retry policy, time limit and how many at once. One job type is one queue, and the queue
//! has the job's name. The handler of `place_order` is `workers/src/jobs/place_order.rs`, and so on.
//!
//! Payloads hold what was asked and ids; never rows, never a secret in clear, never the shop (the envelope carries it). They change by adding
//! defaulted fields.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::auth::{LinkPurpose, Role};
use crate::availability::Slot;
use crate::db::orders::OrderStatus;
use crate::db::personal_data::Traces;
use crate::db::products::variants::Options;
use crate::hours::{Hours, Span};
use crate::ids::{
    AppointmentId, ChannelId, ClosureId, ConversationId, CustomerId, MediaId, MessageId, NoteId, OrderNo, ProductId, ServiceId, StaffId,
    UserId,
};
use crate::inbound::{ConversationKey, InboundEvent, Platform};
use crate::memory::Exchange;
use crate::money::Money;
use crate::own_texts::OwnTexts;
use crate::plans::Plan;

/// A declared job.
pub trait Job: Serialize + DeserializeOwned + Clone + Send + Sync + Unpin + 'static {
    /// What the enqueuer may wait for.
    type Done: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The job's and the queue's name.
    const NAME: JobName;
    /// What happens after a failure.
    const RETRY: Retry;
    /// How long one run may take.
    const TIME_LIMIT: Duration;
    /// How many run at once in one worker process.
    const CONCURRENCY: usize;
}

/// When a failed job runs again: `first × 2ⁿ`, capped, with full jitter of a half; then it is dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Runs in all, the first included.
    pub attempts: u32,
    /// The wait before the second run.
    pub first: Duration,
    /// The longest wait.
    pub cap: Duration,
}

impl Retry {
    /// For work somebody waits for: from 50 ms to 2 s.
    #[must_use]
    pub const fn quick(attempts: u32) -> Self {
        Self { attempts, first: Duration::from_millis(50), cap: Duration::from_secs(2) }
    }

    /// For work behind the scenes: from 1 s to 10 min.
    #[must_use]
    pub const fn patient(attempts: u32) -> Self {
        Self { attempts, first: Duration::from_secs(1), cap: Duration::from_mins(10) }
    }
}

macro_rules! jobs {
    ($($(#[doc = $about:literal])* $job:ident = $name:literal -> $done:ty, $retry:expr, $limit:expr, $concurrency:literal;)*) => {
        /// The name of every job; a queue each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum JobName {
            $($(#[doc = $about])* #[serde(rename = $name)] $job,)*
        }

        impl JobName {
            /// Every job.
            pub const ALL: &[Self] = &[$(Self::$job,)*];

            /// The queue's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$job => $name,)* }
            }

            /// What it does, in a sentence or two.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$job => concat!($($about),*).trim(),)* }
            }

            /// What happens after a failure, how long one run may take, and how many run at once in one process.
            #[must_use]
            pub fn terms(self) -> (Retry, Duration, usize) {
                match self { $(Self::$job => ($job::RETRY, $job::TIME_LIMIT, $job::CONCURRENCY),)* }
            }
        }

        $(impl Job for $job {
            type Done = $done;
            const NAME: JobName = JobName::$job;
            const RETRY: Retry = $retry;
            const TIME_LIMIT: Duration = $limit;
            const CONCURRENCY: usize = $concurrency;
        })*
    };
}

impl std::fmt::Display for JobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for JobName {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|job| job.as_str() == name).ok_or_else(|| format!("there is no job `{name}`"))
    }
}

jobs! {
    /// One turn of one conversation: drains its mailbox, answers. Made by the mailbox alone. Waits mostly for models, so many run at once.
    AnswerCustomer = "answer_customer" -> (), Retry { attempts: 6, first: Duration::from_millis(200), cap: Duration::from_secs(30) }, Duration::from_mins(1), 256;
    /// Records what leads to no turn: delivery states, receipts, echoes, reactions, overflow of a mailbox.
    RecordEvents = "record_events" -> (), Retry::patient(12), Duration::from_secs(30), 16;
    /// Opens a shop with its owner.
    RegisterShop = "register_shop" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Mails somebody a link by which they set a password or confirm their address; an address that nobody has gets none.
    SendLink = "send_link" -> (), Retry::patient(10), Duration::from_secs(30), 8;
    /// Sets the password of somebody who holds a link to do so, and ends their sessions.
    ResetPassword = "reset_password" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Notes that somebody's address is theirs, as they hold a link that was mailed there.
    ConfirmEmail = "confirm_email" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Changes the password of somebody who knows the old one, and ends their sessions.
    ChangePassword = "change_password" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Adds somebody to the team and has them mailed a link.
    InviteColleague = "invite_colleague" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Gives a colleague another role, or removes them, and ends their sessions.
    ChangeColleague = "change_colleague" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Replaces the shop's settings, if nobody has changed them meanwhile.
    SaveShop = "save_shop" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Lets the owner try what the agent would say and do; nothing of it stays.
    TryAgent = "try_agent" -> Answer, Retry::quick(2), Duration::from_secs(30), 4;
    /// Connects a channel, or changes its token.
    SaveChannel = "save_channel" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Asks Meta whether a channel works, and says what is wrong.
    CheckChannel = "check_channel" -> Answer, Retry::quick(3), Duration::from_secs(30), 4;
    /// Looks at a shop's channels, before customers notice that a token has ended; without a shop, has every shop's looked at.
    WatchChannels = "watch_channels" -> (), Retry::patient(5), Duration::from_mins(5), 2;
    /// Disconnects a channel.
    RemoveChannel = "remove_channel" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Adds a product, or changes it.
    SaveProduct = "save_product" -> Answer, Retry::quick(5), Duration::from_secs(10), 16;
    /// Adds variants of a product: sizes, colours.
    AddVariants = "add_variants" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Adds and changes many products from a CSV file: all of it, or nothing.
    ImportProducts = "import_products" -> Answer, Retry::quick(3), Duration::from_mins(3), 2;
    /// Changes a product's stock by hand, with a reason.
    AdjustStock = "adjust_stock" -> Answer, Retry::quick(5), Duration::from_secs(10), 8;
    /// Takes a product out of the catalogue; orders keep it.
    ArchiveProduct = "archive_product" -> Answer, Retry::quick(5), Duration::from_secs(10), 8;
    /// Puts an archived product back into the catalogue.
    RestoreProduct = "restore_product" -> Answer, Retry::quick(5), Duration::from_secs(10), 8;
    /// Places an order at today's prices for staff.
    PlaceOrder = "place_order" -> Answer, Retry::quick(5), Duration::from_secs(10), 16;
    /// Moves an order through its states; a cancellation restocks.
    ChangeOrder = "change_order" -> Answer, Retry::quick(5), Duration::from_secs(10), 16;
    /// Adds a service, or changes it.
    SaveService = "save_service" -> Answer, Retry::quick(5), Duration::from_secs(10), 8;
    /// Offers a service no longer; appointments keep it.
    ArchiveService = "archive_service" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Adds somebody, or a room, who performs services, or changes them.
    SaveStaff = "save_staff" -> Answer, Retry::quick(5), Duration::from_secs(10), 8;
    /// Takes somebody out of the staff, if no appointments are ahead of them.
    ArchiveStaff = "archive_staff" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Adds a holiday or another closure, or takes one away.
    ChangeClosure = "change_closure" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Looks for free slots, in the shop's calendar elsewhere too, if it has one. It changes nothing.
    FindSlots = "find_slots" -> Answer, Retry::quick(2), Duration::from_secs(10), 16;
    /// Books, moves or cancels an appointment for staff, or says how it ended.
    SaveAppointment = "save_appointment" -> Answer, Retry::quick(5), Duration::from_secs(15), 16;
    /// Ends the connecting of a Google account: exchanges the code for tokens and lists the calendars.
    ConnectGoogle = "connect_google" -> Answer, Retry::quick(3), Duration::from_secs(30), 4;
    /// Picks the Google calendar into which appointments go.
    SaveIntegration = "save_integration" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Disconnects the Google account: the tokens are revoked there and forgotten here.
    DisconnectGoogle = "disconnect_google" -> Answer, Retry::quick(3), Duration::from_secs(30), 4;
    /// Makes the event at Google what the appointment is.
    SyncAppointment = "sync_appointment" -> (), Retry { attempts: 20, first: Duration::from_secs(1), cap: Duration::from_mins(5) }, Duration::from_secs(30), 8;
    /// Takes over what was changed in a shop's Google calendar; without a shop, has every connected calendar looked at.
    PullCalendar = "pull_calendar" -> (), Retry { attempts: 4, first: Duration::from_secs(2), cap: Duration::from_mins(1) }, Duration::from_mins(2), 8;
    /// Writes orders or appointments into a new Google spreadsheet.
    ExportSheet = "export_sheet" -> Answer, Retry { attempts: 8, first: Duration::from_secs(1), cap: Duration::from_mins(1) }, Duration::from_mins(10), 2;
    /// Reminds customers of appointments that are near; without a shop, has every shop's looked at.
    RemindCustomer = "remind_customer" -> (), Retry { attempts: 4, first: Duration::from_secs(2), cap: Duration::from_mins(1) }, Duration::from_mins(2), 4;
    /// Opens Stripe's page on which a plan is subscribed to.
    CreateCheckout = "create_checkout" -> Answer, Retry::quick(4), Duration::from_secs(30), 4;
    /// Opens Stripe's page on which a card is changed, an invoice paid, a subscription cancelled.
    OpenPortal = "open_portal" -> Answer, Retry::quick(4), Duration::from_secs(30), 4;
    /// Changes the plan of a subscription: a larger one at once, a smaller one at the period's end.
    ChangePlan = "change_plan" -> Answer, Retry::quick(4), Duration::from_mins(1), 4;
    /// Takes over what an event of Stripe's says has changed, by asking Stripe how it stands now.
    HandleStripeEvent = "handle_stripe_event" -> (), Retry { attempts: 15, first: Duration::from_millis(500), cap: Duration::from_mins(10) }, Duration::from_mins(1), 4;
    /// Reminds an owner of what will end, and takes over payments that no webhook told of; without a shop, has every shop looked at.
    RemindRenewals = "remind_renewals" -> (), Retry { attempts: 10, first: Duration::from_secs(2), cap: Duration::from_mins(10) }, Duration::from_mins(2), 4;
    /// Turns a shop off whose grace is over, after asking Stripe once more; without a shop, has every shop looked at.
    DeactivateExpired = "deactivate_expired" -> (), Retry { attempts: 10, first: Duration::from_secs(2), cap: Duration::from_mins(10) }, Duration::from_mins(2), 4;
    /// Pauses or resumes the AI in a conversation.
    PauseConversation = "pause_conversation" -> Answer, Retry::quick(5), Duration::from_secs(10), 8;
    /// Ends a pause when its time has come.
    ResumeConversation = "resume_conversation" -> (), Retry::patient(10), Duration::from_secs(10), 4;
    /// Marks a conversation read, makes it somebody's, adds or deletes a note.
    ChangeConversation = "change_conversation" -> Answer, Retry::quick(5), Duration::from_secs(10), 8;
    /// Takes a person's answer to a customer, and pauses the AI.
    AnswerAsHuman = "answer_as_human" -> Answer, Retry::quick(5), Duration::from_secs(10), 16;
    /// Sends a person's answer to the platform.
    DeliverMessage = "deliver_message" -> (), Retry { attempts: 8, first: Duration::from_millis(500), cap: Duration::from_mins(1) }, Duration::from_secs(20), 32;
    /// Fetches a file that a customer sent, while the platform still has it, and keeps it.
    FetchMedia = "fetch_media" -> (), Retry::patient(12), Duration::from_mins(2), 4;
    /// Removes files that nobody knows any more.
    RemoveMedia = "remove_media" -> (), Retry::patient(20), Duration::from_mins(2), 2;
    /// Gives up customers' files past their retention; without a shop, has every shop's looked at.
    DropOldMedia = "drop_old_media" -> (), Retry::patient(5), Duration::from_mins(5), 1;
    /// Makes a picture that was uploaded a product's.
    SetProductImage = "set_product_image" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Forgets a customer who asked for it; their orders stay without a name.
    EraseCustomer = "erase_customer" -> Answer, Retry::quick(5), Duration::from_secs(10), 4;
    /// Forgets an erased customer in the agent's memory and in the raw events.
    EraseTraces = "erase_traces" -> (), Retry::patient(10), Duration::from_mins(10), 2;
    /// Tells the shop's people something, by e-mail and/or WhatsApp template.
    NotifyStaff = "notify_staff" -> (), Retry::patient(10), Duration::from_secs(30), 8;
    /// Writes sessions that have been silent for a day to Postgres, then removes them from Redis; without a shop, has every shop's looked at.
    ArchiveSessions = "archive_sessions" -> (), Retry { attempts: 4, first: Duration::from_secs(2), cap: Duration::from_mins(1) }, Duration::from_mins(2), 2;
    /// Expires results and dead letters, readies mailboxes that have messages but no job.
    SweepQueues = "sweep_queues" -> (), Retry::quick(3), Duration::from_secs(50), 1;
    /// Counts a shop's figures anew and reports any difference; without a shop, has every shop's counted.
    CheckFigures = "check_figures" -> (), Retry::patient(3), Duration::from_mins(5), 1;
    /// Makes the coming month's log partition and drops those past their retention.
    DropOldLogs = "drop_old_logs" -> (), Retry::patient(5), Duration::from_mins(1), 1;
}

/// What an API write answers; stored under its key, so that a repeat gets the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "body", rename_all = "snake_case")]
pub enum Answer {
    /// Something new stands: 201.
    Created(serde_json::Value),
    /// It is done: 200.
    Done(serde_json::Value),
    /// It is done and there is nothing to say: 204.
    Empty,
    /// It was refused: nothing changed.
    Refused(Refusal),
}

/// Why a write was refused; the ingress turns it into problem+json.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of refusal it is; the ingress maps it to a status.
    pub kind: RefusalKind,
    /// Stable, for programs: `out_of_stock`, `email_taken`, …
    pub code: String,
    /// A sentence for people, with the remedy.
    pub detail: String,
    /// Which fields are wrong, and how.
    #[serde(default)]
    pub fields: Vec<FieldError>,
    /// What is free instead of a time that is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<Slot>,
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// A field is wrong: 422.
    Invalid,
    /// There is no such thing in this shop: 404.
    NotFound,
    /// The state of things does not allow it: 409.
    Conflict,
    /// The plan does not allow it: 402.
    Plan,
    /// It is for somebody else to do: 403.
    Forbidden,
    /// Something that is needed to decide it is away for a moment: 503.
    Unavailable,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field, as a path into the request: `lines[0].quantity`.
    pub field: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// The key under which a write's answer is kept: the client's `Idempotency-Key`, or a fresh one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestKey {
    /// Unique per shop.
    pub key: String,
    /// Hash of what was asked: the same key with another body is refused.
    pub fingerprint: String,
    /// Who asked; nobody at registration.
    pub user: Option<UserId>,
}

/// See [`JobName::AnswerCustomer`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnswerCustomer {
    /// The conversation whose mailbox has messages.
    pub conversation: ConversationKey,
}

/// See [`JobName::RecordEvents`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordEvents {
    /// What happened, all on one channel, in the order of arrival.
    pub events: Vec<InboundEvent>,
}

/// See [`JobName::RegisterShop`]. The unique e-mail makes it safe to repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegisterShop {
    /// The request.
    pub request: RequestKey,
    /// The shop's name.
    pub shop_name: String,
    /// `product`, `service` or `both`.
    pub kind: String,
    /// The owner's e-mail.
    pub email: String,
    /// bcrypt; the plain password never leaves the ingress.
    pub password_hash: String,
    /// IANA zone.
    pub timezone: String,
    /// ISO 4217.
    pub currency: String,
    /// BCP 47, e.g. `en`.
    pub locale: String,
}

/// See [`JobName::SendLink`]. A repeat mails again, under one `Message-ID`; any of the links works, and only one of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendLink {
    /// Lower case.
    pub email: String,
    /// What the link is for.
    pub purpose: LinkPurpose,
    /// Whose team one is invited to.
    #[serde(default)]
    pub shop_name: Option<String>,
}

/// See [`JobName::ResetPassword`]. The fingerprint makes it safe to repeat.
#[derive(Clone, Serialize, Deserialize)]
pub struct ResetPassword {
    /// Whose.
    pub user: UserId,
    /// The fingerprint of the hash that it replaces.
    pub replaces: String,
    /// bcrypt; made where the password arrived.
    pub password_hash: String,
}

/// See [`JobName::ConfirmEmail`]. Setting a state twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfirmEmail {
    /// Whose.
    pub user: UserId,
    /// The address's fingerprint.
    pub email: String,
}

/// See [`JobName::ChangePassword`]. Setting a state twice changes nothing.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePassword {
    /// Whose.
    pub user: UserId,
    /// bcrypt; made where the password arrived.
    pub password_hash: String,
}

/// See [`JobName::InviteColleague`]. Safe to repeat: the request's key is unique per shop.
#[derive(Clone, Serialize, Deserialize)]
pub struct InviteColleague {
    /// The request.
    pub request: RequestKey,
    /// Lower case.
    pub email: String,
    /// What colleagues call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// bcrypt of a password that nobody knows.
    pub password_hash: String,
}

/// See [`JobName::ChangeColleague`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeColleague {
    /// The request.
    pub request: RequestKey,
    /// Whom.
    pub user: UserId,
    /// What they may do; absent: nothing any more.
    pub role: Option<Role>,
}

/// See [`JobName::SaveShop`]. The version makes it safe to repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveShop {
    /// The request.
    pub request: RequestKey,
    /// The version that the change was made from.
    pub version: i32,
    /// What shall stand.
    pub settings: ShopSettings,
}

/// What an owner sets of a shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShopSettings {
    /// What customers call it.
    pub name: String,
    /// `product`, `service` or `both`.
    pub kind: String,
    /// IANA zone of its calendar.
    pub timezone: String,
    /// ISO 4217.
    pub currency: String,
    /// BCP 47.
    pub locale: String,
    /// The name under which the agent answers.
    pub agent_name: String,
    /// What the owner wants of the agent.
    pub agent_instructions: String,
    /// Address, policies, answers to common questions.
    pub about: String,
    /// Opening hours.
    pub hours: Hours,
    /// `words` or `intent`.
    pub handoff_mode: String,
    /// The shop's own words that ask for a human; empty: the default list.
    pub handoff_words: Vec<String>,
    /// Whom to tell by e-mail; the owner if absent.
    pub handoff_email: Option<String>,
    /// Whom to tell on WhatsApp: digits.
    pub handoff_whatsapp: Option<String>,
    /// The fixed texts in the shop's own words.
    #[serde(default)]
    pub texts: OwnTexts,
    /// How many minutes a pause lasts of which nobody said how long; absent: until somebody resumes.
    pub pause_minutes: Option<i32>,
    /// US dollars a day for models.
    pub daily_model_budget: Money,
    /// Appointments begin so many minutes apart.
    #[serde(default = "default_slot_minutes")]
    pub slot_minutes: i32,
    /// Until so many minutes before may customers move or cancel an appointment.
    #[serde(default = "default_change_minutes")]
    pub change_minutes: i32,
    /// So many minutes ahead customers are reminded of appointments; none: never.
    #[serde(default = "default_reminder_minutes")]
    pub reminder_minutes: Vec<i32>,
    /// The approved WhatsApp template that reminds customers who have not written for a day; absent: they are not reminded.
    #[serde(default)]
    pub reminder_template: Option<String>,
}

/// Minutes between the beginnings of slots, unless a shop says otherwise.
#[must_use]
pub const fn default_slot_minutes() -> i32 {
    15
}

/// Until so many minutes before may customers change an appointment, unless a shop says otherwise.
#[must_use]
pub const fn default_change_minutes() -> i32 {
    120
}

/// A day and an hour before an appointment, unless a shop says otherwise.
#[must_use]
pub fn default_reminder_minutes() -> Vec<i32> {
    vec![24 * 60, 60]
}

/// See [`JobName::TryAgent`]. Safe to repeat: nothing of it stays but the models' cost, once per request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TryAgent {
    /// The request.
    pub request: RequestKey,
    /// What is said.
    pub talk: TrialTalk,
}

/// One step of a trial talk, with all that was before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TrialTalk {
    /// The customer's words; empty for a tap.
    pub said: String,
    /// A tap on a button under the proposal.
    pub tap: Option<TrialTap>,
    /// The exchanges before, the oldest first.
    pub exchanges: Vec<Exchange>,
    /// The open proposal of an order.
    pub proposal: Vec<TrialLine>,
    /// The open proposal of an appointment.
    #[serde(default)]
    pub booking: Option<TrialBooking>,
    /// Instead of the name that is saved.
    pub agent_name: Option<String>,
    /// Instead of the instructions that are saved.
    pub agent_instructions: Option<String>,
    /// Instead of what is saved about the shop.
    pub about: Option<String>,
}

/// Which button is tapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialTap {
    /// Under a proposal: place it.
    Confirm,
    /// Under a proposal: drop it.
    Decline,
}

/// A line of a trial's open proposal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrialLine {
    /// The product.
    pub product: ProductId,
    /// Pieces.
    pub quantity: i32,
    /// Price per piece as shown.
    pub price: Money,
}

/// A trial's open proposal of an appointment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct TrialBooking {
    /// What for.
    pub service: ServiceId,
    /// With whom.
    pub staff: StaffId,
    /// When.
    pub starts_at: DateTime<Utc>,
}

/// See [`JobName::SaveChannel`]. One row per platform and external id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveChannel {
    /// The request.
    pub request: RequestKey,
    /// The platform.
    pub platform: Platform,
    /// Meta's id of the account.
    pub external_id: String,
    /// What people call it.
    pub name: String,
    /// The token, sealed by the ingress; absent leaves the stored one.
    pub sealed_token: Option<String>,
    /// WhatsApp: the display phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Instagram: `facebook` or `instagram` login.
    #[serde(default)]
    pub login: Option<String>,
}

/// See [`JobName::RemoveChannel`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveChannel {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub channel: ChannelId,
}

/// See [`JobName::SaveProduct`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveProduct {
    /// The request.
    pub request: RequestKey,
    /// Absent: add.
    pub product: Option<ProductId>,
    /// The version that the change was made from; absent: whatever stands there.
    #[serde(default)]
    pub version: Option<i32>,
    /// The name customers see.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// The shop's own number for it, unique per shop.
    #[serde(default)]
    pub sku: Option<String>,
    /// Price per piece.
    pub price: Money,
    /// What it costs the shop.
    pub cost: Money,
    /// Pieces in stock; absent: none of a new product, and as it stands of another.
    #[serde(default)]
    pub stock: Option<i32>,
    /// Where its picture is.
    #[serde(default)]
    pub image_url: Option<String>,
    /// At this stock or less staff are told.
    #[serde(default)]
    pub low_stock_at: Option<i32>,
}

/// See [`JobName::AddVariants`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddVariants {
    /// The request.
    pub request: RequestKey,
    /// Beside which product.
    pub product: ProductId,
    /// Which variant the product itself is, if it has no options yet.
    pub options: Options,
    /// Those to add.
    pub variants: Vec<NewVariant>,
}

/// A variant to add.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewVariant {
    /// What makes it this one.
    pub options: Options,
    /// Its own number, unique in the shop.
    pub sku: Option<String>,
    /// Price per piece; the product's when absent.
    pub price: Option<Money>,
    /// What it costs the shop; the product's when absent.
    pub cost: Option<Money>,
    /// Pieces in stock.
    pub stock: i32,
    /// At this stock or less staff are told; the product's when absent.
    pub low_stock_at: Option<i32>,
}

/// See [`JobName::AdjustStock`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdjustStock {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub product: ProductId,
    /// Pieces more; below zero: less.
    pub change: i32,
    /// Why.
    pub reason: String,
}

/// See [`JobName::ArchiveProduct`]. Archiving twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArchiveProduct {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub product: ProductId,
}

/// See [`JobName::RestoreProduct`]. Restoring twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreProduct {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub product: ProductId,
}

/// One wanted line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedLine {
    /// The product.
    pub product: ProductId,
    /// Pieces, at least one.
    pub quantity: i32,
}

/// See [`JobName::PlaceOrder`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlaceOrder {
    /// The request.
    pub request: RequestKey,
    /// What is ordered.
    pub lines: Vec<WantedLine>,
    /// Who orders.
    pub customer_name: String,
    /// How to reach them.
    #[serde(default)]
    pub contact: Option<String>,
}

/// See [`JobName::ChangeOrder`]. A state check makes it safe to repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeOrder {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub order: OrderNo,
    /// `confirmed`, `fulfilled`, `cancelled` or `refunded`.
    pub status: String,
    /// The status that the change was made from; absent: whatever stands there.
    #[serde(default)]
    pub from: Option<String>,
}

/// What a service shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInput {
    /// The name customers see, unique among what is on offer.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Minutes that it takes.
    pub duration_minutes: i32,
    /// Minutes before it in which nobody else is served.
    pub buffer_before_minutes: i32,
    /// Minutes after it in which nobody else is served.
    pub buffer_after_minutes: i32,
    /// What it costs customers.
    pub price: Money,
    /// Customers book so many minutes ahead at least.
    pub lead_minutes: i32,
    /// And so many days ahead at most.
    pub horizon_days: i32,
    /// Slots begin so many minutes apart; absent: as the shop has it.
    pub slot_minutes: Option<i32>,
    /// Who performs it.
    pub staff_ids: Vec<StaffId>,
}

/// See [`JobName::SaveService`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveService {
    /// The request.
    pub request: RequestKey,
    /// Absent: add.
    pub service: Option<ServiceId>,
    /// What it shall be.
    pub input: ServiceInput,
}

/// See [`JobName::ArchiveService`]. Archiving twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArchiveService {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub service: ServiceId,
}

/// See [`JobName::SaveStaff`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveStaff {
    /// The request.
    pub request: RequestKey,
    /// Absent: add.
    pub staff: Option<StaffId>,
    /// What customers call them, unique among those who work here.
    pub name: String,
    /// `person` or `room`.
    pub kind: String,
    /// Their own week; absent: the shop's.
    pub hours: Option<Hours>,
}

/// See [`JobName::ArchiveStaff`]. Archiving twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArchiveStaff {
    /// The request.
    pub request: RequestKey,
    /// Whom.
    pub staff: StaffId,
}

/// See [`JobName::ChangeClosure`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeClosure {
    /// The request.
    pub request: RequestKey,
    /// What is to change.
    pub change: ClosureChange,
}

/// What is to change among the closures.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClosureChange {
    /// One more.
    Add {
        /// Whose; absent: the whole shop's.
        staff: Option<StaffId>,
        /// The first day, in the shop's zone.
        from_day: NaiveDate,
        /// The last day.
        to_day: NaiveDate,
        /// A time of day on each of them; absent: all day.
        span: Option<Span>,
        /// What for.
        note: String,
    },
    /// One goes.
    Remove {
        /// Which.
        closure: ClosureId,
    },
}

/// See [`JobName::FindSlots`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindSlots {
    /// Of which service.
    pub service: ServiceId,
    /// With whom; absent: with anybody.
    pub staff: Option<StaffId>,
    /// The first day, in the shop's zone; absent: today.
    pub from: Option<NaiveDate>,
    /// How many days.
    pub days: u16,
    /// How many slots at most.
    pub most: usize,
}

/// See [`JobName::SaveAppointment`]. Safe to repeat: the request's key is unique per shop, and so is the appointment's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveAppointment {
    /// The request.
    pub request: RequestKey,
    /// What is to be done.
    pub change: AppointmentChange,
}

/// What staff do with an appointment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppointmentChange {
    /// One more.
    Book {
        /// What for.
        service: ServiceId,
        /// With whom; absent: with whoever is free.
        staff: Option<StaffId>,
        /// When.
        starts_at: DateTime<Utc>,
        /// Whose, if they are a customer of a channel.
        customer: Option<CustomerId>,
        /// Their name.
        customer_name: String,
        /// How to reach them.
        contact: Option<String>,
        /// What staff should know.
        note: String,
        /// Outside of the hours too, and whatever a calendar elsewhere says; never over another appointment.
        anyway: bool,
    },
    /// It takes place at another time, or with somebody else.
    Move {
        /// Which.
        appointment: AppointmentId,
        /// With whom; absent: with the same.
        staff: Option<StaffId>,
        /// When.
        starts_at: DateTime<Utc>,
        /// As above.
        anyway: bool,
    },
    /// It does not take place.
    Cancel {
        /// Which.
        appointment: AppointmentId,
    },
    /// It took place.
    Done {
        /// Which.
        appointment: AppointmentId,
    },
    /// Nobody came.
    NoShow {
        /// Which.
        appointment: AppointmentId,
    },
}

/// See [`JobName::ConnectGoogle`]. A code works once: a repeat after an unclear outcome is refused, and people connect again.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConnectGoogle {
    /// The request.
    pub request: RequestKey,
    /// Google's code, sealed by the ingress.
    pub sealed_code: String,
    /// The secret of the attempt's PKCE, sealed by the ingress.
    pub sealed_verifier: String,
}

/// See [`JobName::SaveIntegration`]. Picking the same twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaveIntegration {
    /// The request.
    pub request: RequestKey,
    /// Google's id of the calendar.
    pub calendar_id: String,
    /// Whether customers are told of what was changed at Google.
    pub tell_customers: bool,
}

/// See [`JobName::DisconnectGoogle`]. Disconnecting twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DisconnectGoogle {
    /// The request.
    pub request: RequestKey,
}

/// See [`JobName::SyncAppointment`]. It writes what stands when it runs, under an id that is always the same: late and double runs do no harm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SyncAppointment {
    /// Which one.
    pub appointment: AppointmentId,
}

/// See [`JobName::PullCalendar`]. What was taken over is told by its version at Google: seeing it again changes nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PullCalendar {}

/// See [`JobName::RemindCustomer`]. A reminder is noted with its message, once per appointment, time and notice: a repeat finds nothing due.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RemindCustomer {}

/// See [`JobName::ExportSheet`]. Each row has a place of its own, which a repeat writes again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportSheet {
    /// The request.
    pub request: RequestKey,
    /// What is written.
    pub what: SheetContent,
    /// Whether cost and profit are.
    pub with_profit: bool,
}

/// What goes into a spreadsheet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SheetContent {
    /// A row per line of each order.
    Orders {
        /// Only those of this day of the shop's calendar or later.
        from: Option<NaiveDate>,
        /// Only those of this day or earlier.
        to: Option<NaiveDate>,
        /// Only those in this state.
        status: Option<OrderStatus>,
    },
    /// A row per appointment.
    Appointments {
        /// Only those that begin on this day of the shop's calendar or later.
        from: Option<NaiveDate>,
        /// Only those of this day or earlier.
        to: Option<NaiveDate>,
    },
}

/// See [`JobName::CreateCheckout`]. Stripe's idempotency keys make it safe to repeat, and a page that is still open is opened again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateCheckout {
    /// The request.
    pub request: RequestKey,
    /// Which plan.
    pub plan: Plan,
}

/// See [`JobName::OpenPortal`]. A repeat opens another page, which does no harm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenPortal {
    /// The request.
    pub request: RequestKey,
}

/// See [`JobName::ChangePlan`]. Each step looks at how the subscription stands, and has an idempotency key of the request's at Stripe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangePlan {
    /// The request.
    pub request: RequestKey,
    /// To which plan; the present one takes a change or a cancellation back that was to come.
    pub plan: Plan,
}

/// See [`JobName::HandleStripeEvent`]. It writes down what Stripe says when it runs: late, double and disordered runs do no harm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandleStripeEvent {
    /// Stripe's id.
    pub event_id: String,
    /// What happened: `invoice.paid`.
    pub kind: String,
    /// Of the live mode, or of a test's.
    pub livemode: bool,
    /// When, by Stripe's clock.
    pub occurred_at: DateTime<Utc>,
    /// To what: the invoice, subscription, charge, ….
    pub object_id: String,
    /// Whose, if the object says so.
    pub customer: Option<String>,
    /// The charge that a dispute is about.
    #[serde(default)]
    pub charge: Option<String>,
    /// What a refund or a dispute is about, in the currency's smallest unit.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Lower case, as Stripe writes it.
    #[serde(default)]
    pub currency: Option<String>,
    /// How the object stood.
    #[serde(default)]
    pub status: Option<String>,
}

/// See [`JobName::RemindRenewals`]. Each reminder is noted with its mail, once per end and days.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RemindRenewals {}

/// See [`JobName::DeactivateExpired`]. Setting a state twice changes nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DeactivateExpired {}

/// See [`JobName::PauseConversation`]. Setting a state twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PauseConversation {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub conversation: ConversationId,
    /// Pause, or resume.
    pub paused: bool,
    /// When the pause ends by itself; absent: when the shop's own time for it is over, if it has set one.
    #[serde(default)]
    pub resume_at: Option<DateTime<Utc>>,
}

/// See [`JobName::ResumeConversation`]. It waits in the queue until the pause is over; a state check makes it safe to repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResumeConversation {
    /// Which one.
    pub conversation: ConversationId,
    /// The takeover count of the pause: a later one has a job of its own.
    pub human_epoch: i64,
}

/// See [`JobName::ChangeConversation`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeConversation {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub conversation: ConversationId,
    /// What is to change.
    pub change: ConversationChange,
}

/// What is to change in a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConversationChange {
    /// Staff have read it.
    Read {
        /// Up to here; absent: all of it.
        message: Option<MessageId>,
    },
    /// It becomes a colleague's.
    Assign {
        /// Whose; absent: nobody's.
        user: Option<UserId>,
    },
    /// A note is added.
    AddNote {
        /// The words.
        text: String,
    },
    /// A note of one's own is deleted.
    DeleteNote {
        /// Which.
        note: NoteId,
    },
}

/// See [`JobName::AnswerAsHuman`]. Safe to repeat: the request's key is unique per shop, and so is the message's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnswerAsHuman {
    /// The request.
    pub request: RequestKey,
    /// Which conversation.
    pub conversation: ConversationId,
    /// What is to be said.
    pub words: HumanWords,
}

/// What a person says to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HumanWords {
    /// Their own words.
    Text {
        /// The words.
        text: String,
    },
    /// A template that Meta has approved (WhatsApp alone).
    Template(Template),
}

/// A WhatsApp template with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its name at Meta.
    pub name: String,
    /// Its language as Meta writes it: `en`, `pt_BR`.
    pub language: String,
    /// The values of its body's placeholders, in order.
    #[serde(default)]
    pub parameters: Vec<String>,
}

/// See [`JobName::DeliverMessage`]. Safe to repeat: the message is claimed before it is sent, and one whose fate is unknown is left to settle first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliverMessage {
    /// Which one.
    pub message: MessageId,
}

/// See [`JobName::CheckChannel`]. It changes nothing at Meta; the answer is kept under the request's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckChannel {
    /// The request.
    pub request: RequestKey,
    /// Which one.
    pub channel: ChannelId,
}

/// See [`JobName::ImportProducts`]. Products are matched by sku, and the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportProducts {
    /// The request.
    pub request: RequestKey,
    /// The file.
    pub csv: String,
    /// Say what would be done, and change nothing.
    pub dry_run: bool,
}

/// See [`JobName::FetchMedia`]. Safe to repeat: it stores under the same key, and a file that is kept is not fetched again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FetchMedia {
    /// Which one.
    pub media: MediaId,
    /// Where its bytes go; removed from there if it was forgotten meanwhile.
    pub storage_key: String,
}

/// See [`JobName::RemoveMedia`]. Removing twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveMedia {
    /// The keys.
    pub storage_keys: Vec<String>,
}

/// See [`JobName::DropOldMedia`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DropOldMedia {}

/// See [`JobName::SetProductImage`]. Safe to repeat: the request's key is unique per shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetProductImage {
    /// The request.
    pub request: RequestKey,
    /// Whose picture.
    pub product: ProductId,
    /// The public name under which it is stored; see [`crate::media::public_name`].
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Hex.
    pub sha256: String,
}

/// See [`JobName::EraseCustomer`]. Erasing twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EraseCustomer {
    /// The request.
    pub request: RequestKey,
    /// Whom.
    pub customer: CustomerId,
}

/// See [`JobName::EraseTraces`]. Forgetting twice changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EraseTraces {
    /// Where else they may be named.
    pub traces: Traces,
}

/// See [`JobName::NotifyStaff`]. Unique per notice: the outbox row's key is the idempotency key, and the mail's `Message-ID` comes of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotifyStaff {
    /// Unique per thing to tell.
    pub notice_key: String,
    /// What is to be told.
    pub notice: Notice,
}

/// What staff are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Notice {
    /// A customer asks for a human.
    Handoff {
        /// Where.
        conversation: ConversationId,
        /// The message that asked.
        message: Option<MessageId>,
    },
    /// A channel's token has expired or was revoked.
    ChannelDisconnected {
        /// Which.
        channel: ChannelId,
        /// Meta's code.
        code: i64,
    },
    /// A channel's token will end soon.
    TokenExpires {
        /// What people call the channel.
        name: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// The Google account takes no tokens any more.
    GoogleDisconnected,
    /// An appointment was changed at Google into what it cannot be here.
    CalendarConflict {
        /// Which.
        appointment: AppointmentId,
        /// When it is here.
        starts_at: DateTime<Utc>,
    },
    /// Products have become low since they were last restocked.
    LowStock {
        /// Some of them.
        products: Vec<ProductId>,
        /// How many there are.
        count: usize,
    },
    /// The month's answers are nearly used up.
    QuotaNearlyUsed {
        /// So many were sent.
        used: i32,
        /// Of so many.
        of: i32,
    },
    /// The month's answers are used up.
    QuotaReached,
    /// The plan allows fewer platforms than are connected, and customers write on one of those that are left out.
    PlatformLeftOut {
        /// Which.
        platform: Platform,
    },
    /// The trial ends soon.
    TrialEnds {
        /// When.
        at: DateTime<Utc>,
    },
    /// The subscription is renewed soon.
    Renews {
        /// When.
        at: DateTime<Utc>,
        /// For how much, in words: `59.00 USD`.
        amount: Option<String>,
    },
    /// The subscription was cancelled, and ends soon.
    SubscriptionEnds {
        /// When.
        at: DateTime<Utc>,
    },
    /// A payment did not succeed, or needs its owner.
    PaymentFailed {
        /// How often it was tried.
        attempt: i64,
        /// When it is tried again; absent: it is not.
        next_attempt_at: Option<DateTime<Utc>>,
        /// Where to pay it.
        url: Option<String>,
    },
    /// What was paid is over; the shop is served for a while longer.
    GraceBegan {
        /// Until.
        until: DateTime<Utc>,
    },
    /// The shop is inactive from now on.
    Deactivated,
    /// The shop is served again, or for the first time after its trial.
    Activated {
        /// Its plan.
        plan: Plan,
        /// Until when it is paid.
        until: Option<DateTime<Utc>>,
    },
    /// The shop has another plan.
    PlanChanged {
        /// Which it had.
        from: Plan,
        /// Which it has.
        to: Plan,
    },
    /// There is more than one subscription.
    PaysTwice,
    /// The shop is inactive, and customers write.
    Inactive,
    /// Too many turns in a short time: a bot may be answering our bot.
    LoopStopped {
        /// Where.
        conversation: ConversationId,
    },
    /// The day's model cost limit is reached.
    ModelBudgetReached,
    /// A connected calendar could not be read, so a customer was offered no time.
    CalendarUnreachable {
        /// Where.
        conversation: ConversationId,
    },
    /// Messages came too late to be answered.
    Missed {
        /// Where.
        conversation: ConversationId,
        /// How many.
        count: usize,
    },
    /// A message could not be answered or sent.
    Undeliverable {
        /// Where.
        conversation: ConversationId,
        /// Meta's code, if it was Meta.
        code: Option<i64>,
    },
}

impl Notice {
    /// Whether it is the owner's affair alone: what is paid, and for what.
    #[must_use]
    pub const fn is_for_owner(&self) -> bool {
        matches!(
            self,
            Self::TrialEnds { .. }
                | Self::Renews { .. }
                | Self::SubscriptionEnds { .. }
                | Self::PaymentFailed { .. }
                | Self::GraceBegan { .. }
                | Self::Deactivated
                | Self::Activated { .. }
                | Self::PlanChanged { .. }
                | Self::PaysTwice
        )
    }
}

/// See [`JobName::WatchChannels`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WatchChannels {}

/// See [`JobName::ArchiveSessions`]. A session is written once, and removed only as it was written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ArchiveSessions {}

/// See [`JobName::SweepQueues`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SweepQueues {}

/// See [`JobName::CheckFigures`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CheckFigures {}

/// See [`JobName::DropOldLogs`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DropOldLogs {}

#[cfg(test)]
mod tests {
    use super::*;

    /// `./dev gen` writes it anew.
    #[test]
    fn generated_docs_list_every_job() {
        let mut page = String::from(
            "# Jobs\n\nGenerated from `core/src/jobs.rs` by `./dev gen`. One job type is one queue and has its name.\n\n\
             | job | what it does | runs at most | waits between runs | one run may take | at once in a process |\n| --- | --- | ---: | --- | ---: | ---: |\n",
        );
        for job in JobName::ALL {
            let (retry, limit, concurrency) = job.terms();
            let waits = format!("{:?}, doubling, up to {:?}", retry.first, retry.cap);
            page.push_str(&format!("| `{job}` | {} | {} | {waits} | {limit:?} | {concurrency} |\n", job.about(), retry.attempts));
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/JOBS.md");
        if std::env::vars_os().any(|(name, value)| name == "UPDATE_GENERATED" && value == "1") {
            std::fs::write(path, &page).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page, "docs/JOBS.md is stale; run ./dev gen");
    }

    #[test]
    fn every_name_reads_back() {
        for job in JobName::ALL {
            assert_eq!(job.as_str().parse::<JobName>(), Ok(*job));
        }
    }
}
