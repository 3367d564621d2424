//! The workers: everything that changes something or talks to a provider. A lib, so that tests can start them in-process.

pub mod agent;
pub mod appointments;
pub mod billing;
pub mod catalogue;
pub mod channels;
pub mod clients;
pub mod crash;
pub mod diary;
pub mod google;
pub mod import;
pub mod jobs;
mod media;
pub mod registry;
pub mod runner;
pub mod turn;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use frontdesk_core::clock::{SharedClock, SystemClock};
use frontdesk_core::config::WorkerConfig;
use frontdesk_core::db::channels::ChannelRef;
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::{Db, PoolSettings};
use frontdesk_core::ids::ConversationId;
use frontdesk_core::inbound::Platform;
use frontdesk_core::live;
use frontdesk_core::mailbox::Mailbox;
use frontdesk_core::media::MediaStore;
use frontdesk_core::memory::Memory;
use frontdesk_core::queue::{Push, Queue};
use frontdesk_core::secrets::Sealer;
use frontdesk_core::telemetry;
use frontdesk_core::tenancy::ShopScope;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::agent::Prices;
use crate::appointments::BusyTimes;
use crate::channels::Channels;
use crate::clients::email::Email;
use crate::clients::gemini::Gemini;
use crate::clients::google::Google;
use crate::clients::meta::{Account, Meta};
use crate::clients::models::{ModelPrice, Models};
use crate::clients::openai::OpenAi;
use crate::clients::stripe::Stripe;
use crate::google::Accounts;
use crate::google::busy::GoogleBusy;

/// What every handler may use.
#[derive(Debug)]
pub struct App {
    /// Postgres, as the application's role.
    pub db: Db,
    /// The queues.
    pub queue: Queue,
    /// Mailboxes of conversations.
    pub mailbox: Mailbox,
    /// Last exchanges.
    pub memory: Memory,
    /// Channels by Meta's id, cached.
    pub channels: Channels,
    /// Language models.
    pub models: Models,
    /// Meta.
    pub meta: Meta,
    /// Files of customers and products.
    pub media: MediaStore,
    /// Stripe, if there is a key.
    pub stripe: Option<Stripe>,
    /// Mail, if there is a server.
    pub email: Option<Email>,
    /// The Google accounts that shops have connected.
    pub google: Arc<Accounts>,
    /// When staff are busy in calendars that shops have connected.
    pub busy: Arc<dyn BusyTimes>,
    /// The time.
    pub clock: SharedClock,
    /// Opens channel tokens.
    pub sealer: Sealer,
    /// Settings.
    pub settings: Settings,
}

/// What handlers need of the settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a burst is awaited.
    pub reply_quiet: Duration,
    /// How soon a customer has an answer.
    pub reply_deadline: Duration,
    /// When OpenAI is asked beside Gemini.
    pub hedge_after: Duration,
    /// What tokens cost.
    pub model_prices: Prices,
    /// Our Meta app: its echoes are our own.
    pub meta_app_id: String,
    /// The dashboard, for links in mails.
    pub public_url: String,
    /// Length of a trial.
    pub trial_days: u32,
    /// How long a shop is served after what it paid for is over.
    pub billing_grace: Duration,
    /// How long raw events are kept.
    pub log_retention_days: u32,
    /// How long files of customers are kept.
    pub media_retention_days: u32,
}

impl App {
    /// Connects to everything.
    ///
    /// # Errors
    /// When Postgres or Redis cannot be used as they are set up, or a setting is wrong.
    pub async fn connect(config: &WorkerConfig, name: &str, clock: SharedClock) -> anyhow::Result<Arc<Self>> {
        let db = Db::connect(&config.database_url, PoolSettings::WORKER).await?;
        let queue = Queue::connect_replicated(config.redis_url.expose_secret(), name, config.redis_wait_replicas).await?;
        let http = clients::http_client()?;
        let gemini = config.gemini.as_ref().map(|model| Gemini::new(http.clone(), &model.url, model.api_key.clone(), &model.model));
        let openai = config.openai.as_ref().map(|model| OpenAi::new(http.clone(), &model.url, model.api_key.clone(), &model.model));
        let client =
            config.google.clone().map(|of| Google::new(http.clone(), of, frontdesk_core::google::redirect_uri(&config.public_url)));
        let google = Arc::new(Accounts {
            client,
            db: db.clone(),
            queue: queue.clone(),
            sealer: Sealer::new(&config.encryption_keys)?,
            clock: clock.clone(),
        });
        let stripe = config.stripe.clone().map(|account| Stripe::new(http.clone(), account));
        let meta = Meta::new(
            http,
            &config.meta.graph_url,
            &config.meta.instagram_graph_url,
            &config.meta.graph_version,
            &config.meta.app_id,
            config.meta.app_secrets.first().cloned(),
        );
        let email = config.mail.as_ref().map(|mail| Email::new(&mail.smtp_url, &mail.from)).transpose()?;
        let model_prices = config
            .model_prices
            .iter()
            .map(|(model, price)| (model.clone(), ModelPrice { input: price.input, output: price.output }))
            .collect();
        Ok(Arc::new(Self {
            mailbox: Mailbox::new(&queue),
            memory: Memory::new(&queue),
            channels: Channels::new(db.clone()),
            models: Models::new(gemini, openai),
            meta,
            media: MediaStore::open(&config.media).context("MEDIA_URL")?,
            stripe,
            email,
            busy: Arc::new(GoogleBusy::new(google.clone())),
            google,
            clock,
            sealer: Sealer::new(&config.encryption_keys)?,
            settings: Settings {
                reply_quiet: config.reply_quiet,
                reply_deadline: config.reply_deadline,
                hedge_after: config.hedge_after,
                model_prices,
                meta_app_id: config.meta.app_id.clone(),
                public_url: config.public_url.as_str().trim_end_matches('/').to_owned(),
                trial_days: config.trial_days,
                billing_grace: config.billing_grace,
                log_retention_days: config.log_retention_days,
                media_retention_days: config.media_retention_days,
            },
            db,
            queue,
        }))
    }

    /// The account to send from, its token opened; `None` if there is no token that opens.
    #[must_use]
    pub fn account(&self, channel: &ChannelRef) -> Option<Account> {
        let key = channel.key();
        let token = match self.sealer.open(channel.sealed_token()?, &channel.seal_context()) {
            Ok(token) => token,
            Err(error) => {
                tracing::error!(channel.id = %channel.id(), %error, "channel token does not open");
                return None;
            }
        };
        Some(Account {
            platform: key.platform,
            external_id: key.external_id.clone(),
            instagram_login: key.platform == Platform::Instagram && channel.uses_instagram_login(),
            token,
        })
    }

    /// Tells open dashboards; what is lost here is read again by the next look.
    pub async fn announce(&self, scope: &ShopScope, kind: &str, event: &serde_json::Value) {
        let appended = match serde_json::value::to_raw_value(event) {
            Ok(raw) => live::append(&self.queue, scope, kind, &raw).await.map(|_| ()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = appended {
            tracing::warn!(%error, kind, "live event not announced");
        }
    }

    /// Lets the memory be rebuilt with what people said while the AI was silent; if Redis is away, it only misses that.
    pub async fn forget_exchanges(&self, scope: &ShopScope, conversation: ConversationId) {
        if let Err(error) = self.memory.forget(scope, conversation).await {
            tracing::warn!(%error, "exchanges not forgotten");
        }
    }

    /// Pushes what a transaction left in the outbox; whatever fails here is pushed by the relay, and pushing twice is harmless.
    pub async fn push_outbox(&self, scope: &ShopScope, pending: Vec<Pending>) {
        let mut pushed = Vec::with_capacity(pending.len());
        for row in pending {
            let Ok(payload) = serde_json::value::to_raw_value(&row.payload) else { continue };
            let how = Push { key: Some(row.key.clone()), ..Push::default() };
            match self.queue.push_raw(row.job, Some(*scope), &payload, how).await {
                Ok(_) => pushed.push(row),
                Err(error) => tracing::warn!(%error, job.name = %row.job, "outbox row left to the relay"),
            }
        }
        if !pushed.is_empty()
            && let Err(error) = self.db.delete_outbox(&pushed).await
        {
            tracing::warn!(%error, "outbox rows left to the relay");
        }
    }
}

/// Runs the workers until `shutdown`, then drains.
///
/// # Errors
/// When something cannot be connected to at the start.
pub async fn run(config: WorkerConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    run_by(config, Arc::new(SystemClock), shutdown).await
}

/// As [`run`], by a clock of the caller's: a story of a year does not take one.
///
/// # Errors
/// As [`run`].
pub async fn run_by(config: WorkerConfig, clock: SharedClock, shutdown: CancellationToken) -> anyhow::Result<()> {
    if let Some(address) = config.metrics_addr {
        telemetry::serve_metrics(address, shutdown.clone()).await?;
    }
    let app = App::connect(&config, "worker", clock).await?;
    registry::run(app, &config, shutdown).await
}
