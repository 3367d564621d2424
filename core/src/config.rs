//! The settings of each process: read from the environment once, checked whole before anything starts. Nobody else reads the environment.

mod reader;
pub mod settings;
mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

pub use reader::{Environment, Problem, Problems, ProcessEnvironment, Reader};
pub use settings::Process;
pub use values::{Concurrency, LogFormat, ModelPrice, Network, Schedule};

use crate::jobs::JobName;
use crate::plans::Plan;

const REDIS_SCHEMES: &[&str] = &["redis", "rediss"];
const POSTGRES_SCHEMES: &[&str] = &["postgres", "postgresql"];
/// HS256 wants a key as long as its digest (RFC 7518 3.2).
const JWT_SECRET_BYTES: usize = 32;

/// How a process writes its logs.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// The form.
    pub format: LogFormat,
    /// Which lines, in `RUST_LOG`'s form.
    pub filter: String,
    /// Where spans are sent, as OTLP over HTTP.
    pub otlp_endpoint: Option<String>,
}

impl LogConfig {
    /// Reads `LOG_FORMAT`, `RUST_LOG` and `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let format = reader.need(&settings::LOG_FORMAT, values::log_format);
        let filter = reader.need(&settings::RUST_LOG, values::log_filter);
        let otlp_endpoint = reader.may(&settings::OTEL_EXPORTER_OTLP_ENDPOINT, values::base_url);
        Some(Self { format: format?, filter: filter?, otlp_endpoint })
    }
}

/// A process's settings.
pub trait Config: Sized {
    /// Whose they are.
    const PROCESS: Process;

    /// Reads all of them; `None` only if the reader has noted a problem.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Reads from `environment`.
    ///
    /// # Errors
    /// Every missing or bad setting, all at once.
    fn from_environment(environment: &dyn Environment) -> Result<Self, Problems> {
        let mut reader = Reader::new(environment, Self::PROCESS);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    /// For `main`: answers `--help` and `--version` (and ends the process), else reads the environment.
    ///
    /// # Errors
    /// Every missing or bad setting, all at once.
    fn from_command_line() -> Result<Self, Problems> {
        command(Self::PROCESS).get_matches();
        Self::from_environment(&ProcessEnvironment)
    }
}

/// The command line of a process; settings come from the environment alone, and `--help` lists them.
#[must_use]
pub fn command(process: Process) -> clap::Command {
    clap::Command::new(process.binary()).version(env!("CARGO_PKG_VERSION")).about(process.about()).after_help(settings::help(process))
}

/// A Postgres URL.
#[must_use]
pub fn postgres_url(reader: &mut Reader<'_>, setting: &settings::Setting) -> Option<SecretString> {
    reader.need(setting, values::secret_url(POSTGRES_SCHEMES))
}

/// `ENCRYPTION_KEYS`, its form checked; `secrets` builds the keys.
#[must_use]
pub fn encryption_keys(reader: &mut Reader<'_>) -> Option<SecretString> {
    reader.need(&settings::ENCRYPTION_KEYS, values::encryption_keys)
}

fn redis_url(reader: &mut Reader<'_>) -> Option<SecretString> {
    reader.need(&settings::REDIS_URL, values::secret_url(REDIS_SCHEMES))
}

/// Where files of customers and products are kept.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// `file:///directory` or `s3://bucket/prefix`.
    pub url: Url,
    /// The bucket's region.
    pub region: Option<String>,
    /// Another S3 than Amazon's.
    pub endpoint: Option<String>,
    /// The key and its secret; without, the machine's own role.
    pub key: Option<(String, SecretString)>,
    /// Where ECS tells a task's role.
    pub role_uri: Option<String>,
}

fn media(reader: &mut Reader<'_>) -> Option<MediaConfig> {
    let url = reader.need(&settings::MEDIA_URL, values::media_url);
    let region = reader.may(&settings::AWS_REGION, |raw| Ok(raw.to_owned()));
    let endpoint = reader.may(&settings::AWS_ENDPOINT_URL, values::base_url);
    let id = reader.may(&settings::AWS_ACCESS_KEY_ID, |raw| Ok(raw.to_owned()));
    let secret = reader.may(&settings::AWS_SECRET_ACCESS_KEY, |raw| Ok(SecretString::from(raw)));
    let role_uri = reader.may(&settings::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, |raw| Ok(raw.to_owned()));
    if id.is_some() && secret.is_none() {
        reader.refuse(&settings::AWS_SECRET_ACCESS_KEY, "is needed with AWS_ACCESS_KEY_ID");
    }
    Some(MediaConfig { url: url?, region, endpoint, key: id.zip(secret), role_uri })
}

/// Settings of the ingress.
#[derive(Debug, Clone)]
pub struct IngressConfig {
    /// Where to listen.
    pub listen_addr: SocketAddr,
    /// How browsers reach it.
    pub public_url: Url,
    /// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<Network>,
    /// How long a write waits for its job.
    pub api_wait: Duration,
    /// How many API requests one shop may make in a minute.
    pub api_requests_per_minute: u32,
    /// Where metrics are served.
    pub metrics_addr: Option<SocketAddr>,
    /// Postgres, reading only.
    pub database_url: SecretString,
    /// Redis.
    pub redis_url: SecretString,
    /// How many replicas must have a webhook before 200.
    pub redis_wait_replicas: u32,
    /// The first signs, all verify.
    pub jwt_secrets: Vec<SecretString>,
    /// Seals channel tokens.
    pub encryption_keys: SecretString,
    /// Any may have signed a webhook.
    pub meta_app_secrets: Vec<SecretString>,
    /// Meta's word at the webhook's verification.
    pub meta_verify_token: SecretString,
    /// Where files are kept.
    pub media: MediaConfig,
    /// The OAuth client by which shops connect Google, if there is one.
    pub google_client_id: Option<String>,
    /// Google's consent screen, without a slash at the end.
    pub google_oauth_url: String,
    /// Any may have signed a webhook of Stripe's; none: there is no Stripe.
    pub stripe_webhook_secrets: Vec<SecretString>,
    /// How long a shop is served after what it paid for is over.
    pub billing_grace: Duration,
    /// Logs.
    pub log: LogConfig,
}

impl IngressConfig {
    /// Whether the session cookie is `Secure`: always but on `http://localhost`, where some browsers would drop it.
    #[must_use]
    pub fn secure_cookie(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

impl Config for IngressConfig {
    const PROCESS: Process = Process::Ingress;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let listen_addr = reader.need(&settings::LISTEN_ADDR, values::socket);
        let public_url = reader.need(&settings::PUBLIC_URL, values::public_url);
        let trusted_proxies = reader.may(&settings::TRUSTED_PROXIES, values::networks);
        let api_wait = reader.need(&settings::API_WAIT_MS, values::millis(0, 60_000));
        let api_requests_per_minute = reader.need(&settings::API_REQUESTS_PER_MINUTE, values::small(1, 1_000_000));
        let metrics_addr = reader.may(&settings::METRICS_ADDR, values::socket);
        let database_url = postgres_url(reader, &settings::INGRESS_DATABASE_URL);
        let redis_url = redis_url(reader);
        let redis_wait_replicas = reader.need(&settings::REDIS_WAIT_REPLICAS, values::small(0, 16));
        let jwt_secrets = reader.need(&settings::JWT_SECRET, values::secrets(JWT_SECRET_BYTES));
        let encryption_keys = encryption_keys(reader);
        let meta_app_secrets = reader.need(&settings::META_APP_SECRET, values::secrets(1));
        let meta_verify_token = reader.need(&settings::META_VERIFY_TOKEN, values::long_secret(8));
        let media = media(reader);
        let google_client_id = reader.may(&settings::GOOGLE_CLIENT_ID, |raw| Ok(raw.to_owned()));
        let google_oauth_url = reader.need(&settings::GOOGLE_OAUTH_URL, values::base_url);
        let stripe_webhook_secrets = reader.may(&settings::STRIPE_WEBHOOK_SECRET, values::secrets(8));
        let billing_grace = reader.need(&settings::BILLING_GRACE_DAYS, values::days(0, 90));
        let log = LogConfig::read(reader);
        Some(Self {
            listen_addr: listen_addr?,
            public_url: public_url?,
            trusted_proxies: trusted_proxies.unwrap_or_default(),
            api_wait: api_wait?,
            api_requests_per_minute: api_requests_per_minute?,
            metrics_addr,
            database_url: database_url?,
            redis_url: redis_url?,
            redis_wait_replicas: redis_wait_replicas?,
            jwt_secrets: jwt_secrets?,
            encryption_keys: encryption_keys?,
            meta_app_secrets: meta_app_secrets?,
            meta_verify_token: meta_verify_token?,
            media: media?,
            google_client_id,
            google_oauth_url: google_oauth_url?,
            stripe_webhook_secrets: stripe_webhook_secrets.unwrap_or_default(),
            billing_grace: billing_grace?,
            log: log?,
        })
    }
}

/// How the worker speaks to Meta.
#[derive(Debug, Clone)]
pub struct MetaConfig {
    /// The app's id.
    pub app_id: String,
    /// The Meta app's secret first: it makes `appsecret_proof`.
    pub app_secrets: Vec<SecretString>,
    /// The Graph API, without a slash at the end.
    pub graph_url: String,
    /// The Graph API of Instagram Login, without a slash at the end.
    pub instagram_graph_url: String,
    /// `v26.0`
    pub graph_version: String,
}

/// How the worker speaks to a model.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// The API, without a slash at the end.
    pub url: String,
    /// The key.
    pub api_key: SecretString,
    /// Which model.
    pub model: String,
}

/// How the worker sends mail.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server, with user and password.
    pub smtp_url: SecretString,
    /// The sender.
    pub from: String,
}

/// How the worker speaks to Google.
#[derive(Debug, Clone)]
pub struct GoogleConfig {
    /// The OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The token endpoint's host, without a slash at the end.
    pub token_url: String,
    /// The Calendar API, without a slash at the end.
    pub api_url: String,
    /// The Sheets API, without a slash at the end.
    pub sheets_url: String,
}

/// How the worker speaks to Stripe.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// The API, without a slash at the end.
    pub url: String,
    /// The key.
    pub secret_key: SecretString,
    /// What is sold, and at which of Stripe's prices.
    pub prices: Vec<(Plan, String)>,
}

/// Settings of a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// How people reach the dashboard; links in mails.
    pub public_url: Url,
    /// Where metrics are served.
    pub metrics_addr: Option<SocketAddr>,
    /// Postgres as the application's role.
    pub database_url: SecretString,
    /// Redis.
    pub redis_url: SecretString,
    /// How many replicas must have what a worker accepts.
    pub redis_wait_replicas: u32,
    /// Opens channel tokens.
    pub encryption_keys: SecretString,
    /// Meta.
    pub meta: MetaConfig,
    /// Where files are kept.
    pub media: MediaConfig,
    /// Gemini, if there is a key.
    pub gemini: Option<ModelConfig>,
    /// OpenAI, if there is a key.
    pub openai: Option<ModelConfig>,
    /// What tokens cost, by model.
    pub model_prices: BTreeMap<String, ModelPrice>,
    /// When OpenAI is asked beside Gemini.
    pub hedge_after: Duration,
    /// How long a burst is awaited.
    pub reply_quiet: Duration,
    /// How soon a customer has an answer.
    pub reply_deadline: Duration,
    /// Google, if there is a client.
    pub google: Option<GoogleConfig>,
    /// Stripe, if there is a key.
    pub stripe: Option<StripeConfig>,
    /// Mail, if there is a server.
    pub mail: Option<MailConfig>,
    /// Length of a new shop's trial, days.
    pub trial_days: u32,
    /// How long a shop is served after what it paid for is over.
    pub billing_grace: Duration,
    /// How long raw events are kept, days.
    pub log_retention_days: u32,
    /// How long files of customers are kept, days.
    pub media_retention_days: u32,
    /// Which jobs run here.
    pub jobs: Vec<JobName>,
    /// How many at once.
    pub concurrency: Concurrency,
    /// Logs.
    pub log: LogConfig,
}

fn meta(reader: &mut Reader<'_>) -> Option<MetaConfig> {
    let app_id = reader.need(&settings::META_APP_ID, values::digits);
    let app_secrets = reader.need(&settings::META_APP_SECRET, values::secrets(1));
    let graph_url = reader.need(&settings::META_GRAPH_URL, values::base_url);
    let instagram_graph_url = reader.need(&settings::INSTAGRAM_GRAPH_URL, values::base_url);
    let graph_version = reader.need(&settings::META_GRAPH_VERSION, values::graph_version);
    Some(MetaConfig {
        app_id: app_id?,
        app_secrets: app_secrets?,
        graph_url: graph_url?,
        instagram_graph_url: instagram_graph_url?,
        graph_version: graph_version?,
    })
}

/// `Some(None)` is a model without a key: it is off.
fn model(
    reader: &mut Reader<'_>,
    key: &settings::Setting,
    url: &settings::Setting,
    name: &settings::Setting,
) -> Option<Option<ModelConfig>> {
    let api_key = reader.may(key, |raw| Ok(SecretString::from(raw)));
    let url = reader.need(url, values::base_url);
    let model = reader.need(name, values::model_name);
    let (url, model) = (url?, model?);
    Some(api_key.map(|api_key| ModelConfig { url, api_key, model }))
}

/// `Some(None)` is no client: shops cannot connect Google.
fn google(reader: &mut Reader<'_>) -> Option<Option<GoogleConfig>> {
    let client_id = reader.may(&settings::GOOGLE_CLIENT_ID, |raw| Ok(raw.to_owned()));
    let client_secret = reader.may(&settings::GOOGLE_CLIENT_SECRET, |raw| Ok(SecretString::from(raw)));
    if client_id.is_some() && client_secret.is_none() {
        reader.refuse(&settings::GOOGLE_CLIENT_SECRET, "is needed with GOOGLE_CLIENT_ID; Google's console shows both");
    }
    let token_url = reader.need(&settings::GOOGLE_TOKEN_URL, values::base_url);
    let api_url = reader.need(&settings::GOOGLE_API_URL, values::base_url);
    let sheets_url = reader.need(&settings::GOOGLE_SHEETS_URL, values::base_url);
    let (token_url, api_url, sheets_url) = (token_url?, api_url?, sheets_url?);
    let client = client_id.zip(client_secret);
    Some(client.map(|(client_id, client_secret)| GoogleConfig { client_id, client_secret, token_url, api_url, sheets_url }))
}

/// `Some(None)` is no key: nobody can subscribe.
fn stripe(reader: &mut Reader<'_>) -> Option<Option<StripeConfig>> {
    let secret_key = reader.may(&settings::STRIPE_SECRET_KEY, |raw| Ok(SecretString::from(raw)));
    let url = reader.need(&settings::STRIPE_URL, values::base_url);
    let mut prices = Vec::new();
    for (plan, setting) in [
        (Plan::Starter, &settings::STRIPE_PRICE_STARTER),
        (Plan::Pro, &settings::STRIPE_PRICE_PRO),
        (Plan::Business, &settings::STRIPE_PRICE_BUSINESS),
    ] {
        match reader.may(setting, values::stripe_price) {
            Some(price) => prices.push((plan, price)),
            None if secret_key.is_some() => {
                reader.refuse(setting, "is needed with STRIPE_SECRET_KEY; Stripe's dashboard shows it, price_…")
            }
            None => {}
        }
    }
    let url = url?;
    Some(secret_key.map(|secret_key| StripeConfig { url, secret_key, prices }))
}

fn mail(reader: &mut Reader<'_>) -> Option<MailConfig> {
    let smtp_url = reader.may(&settings::SMTP_URL, values::secret_url(&["smtp", "smtps"]));
    let from = reader.may(&settings::MAIL_FROM, values::mail_address);
    if smtp_url.is_some() && from.is_none() {
        reader.refuse(&settings::MAIL_FROM, "is needed with SMTP_URL, e.g. Frontdesk <desk@example.com>");
    }
    Some(MailConfig { smtp_url: smtp_url?, from: from? })
}

impl Config for WorkerConfig {
    const PROCESS: Process = Process::Worker;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let public_url = reader.need(&settings::PUBLIC_URL, values::public_url);
        let metrics_addr = reader.may(&settings::METRICS_ADDR, values::socket);
        let database_url = postgres_url(reader, &settings::DATABASE_URL);
        let redis_url = redis_url(reader);
        let redis_wait_replicas = reader.need(&settings::REDIS_WAIT_REPLICAS, values::small(0, 16));
        let encryption_keys = encryption_keys(reader);
        let meta = meta(reader);
        let media = media(reader);
        let gemini = model(reader, &settings::GEMINI_API_KEY, &settings::GEMINI_URL, &settings::GEMINI_MODEL);
        let openai = model(reader, &settings::OPENAI_API_KEY, &settings::OPENAI_URL, &settings::OPENAI_MODEL);
        if matches!((&gemini, &openai), (Some(None), Some(None))) {
            reader.refuse(&settings::GEMINI_API_KEY, "neither it nor OPENAI_API_KEY is set; at least one model must answer");
        }
        let model_prices = reader.may(&settings::MODEL_PRICES, values::model_prices);
        let hedge_after = reader.need(&settings::HEDGE_AFTER_MS, values::millis(0, 60_000));
        let reply_quiet = reader.need(&settings::REPLY_QUIET_MS, values::millis(0, 10_000));
        let reply_deadline = reader.need(&settings::REPLY_DEADLINE_MS, values::millis(500, 60_000));
        let google = google(reader);
        let stripe = stripe(reader);
        let mail = mail(reader);
        let trial_days = reader.need(&settings::TRIAL_DAYS, values::small(0, 365));
        let billing_grace = reader.need(&settings::BILLING_GRACE_DAYS, values::days(0, 90));
        let log_retention_days = reader.need(&settings::LOG_RETENTION_DAYS, values::small(1, 3650));
        let media_retention_days = reader.need(&settings::MEDIA_RETENTION_DAYS, values::small(1, 36_500));
        let jobs = reader.may(&settings::WORKER_JOBS, values::jobs);
        let concurrency = reader.may(&settings::WORKER_CONCURRENCY, values::concurrency);
        let log = LogConfig::read(reader);
        Some(Self {
            public_url: public_url?,
            metrics_addr,
            database_url: database_url?,
            redis_url: redis_url?,
            redis_wait_replicas: redis_wait_replicas?,
            encryption_keys: encryption_keys?,
            meta: meta?,
            media: media?,
            gemini: gemini?,
            openai: openai?,
            model_prices: model_prices.unwrap_or_default(),
            hedge_after: hedge_after?,
            reply_quiet: reply_quiet?,
            reply_deadline: reply_deadline?,
            google: google?,
            stripe: stripe?,
            mail,
            trial_days: trial_days?,
            billing_grace: billing_grace?,
            log_retention_days: log_retention_days?,
            media_retention_days: media_retention_days?,
            jobs: jobs.unwrap_or_else(|| JobName::ALL.to_vec()),
            concurrency: concurrency.unwrap_or_default(),
            log: log?,
        })
    }
}

/// Settings of a scheduler.
#[derive(Debug, Clone)]
pub struct SchedulerConfig {
    /// Where metrics are served.
    pub metrics_addr: Option<SocketAddr>,
    /// Postgres as the application's role.
    pub database_url: SecretString,
    /// Redis.
    pub redis_url: SecretString,
    /// What fires when.
    pub schedules: Vec<Schedule>,
    /// Logs.
    pub log: LogConfig,
}

impl Config for SchedulerConfig {
    const PROCESS: Process = Process::Scheduler;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let metrics_addr = reader.may(&settings::METRICS_ADDR, values::socket);
        let database_url = postgres_url(reader, &settings::DATABASE_URL);
        let redis_url = redis_url(reader);
        let sweep = reader.need(&settings::SCHEDULE_SWEEP_QUEUES, values::schedule(JobName::SweepQueues));
        let figures = reader.need(&settings::SCHEDULE_CHECK_FIGURES, values::schedule(JobName::CheckFigures));
        let channels = reader.need(&settings::SCHEDULE_WATCH_CHANNELS, values::schedule(JobName::WatchChannels));
        let reminders = reader.need(&settings::SCHEDULE_REMIND_CUSTOMERS, values::schedule(JobName::RemindCustomer));
        let calendars = reader.need(&settings::SCHEDULE_PULL_CALENDAR, values::schedule(JobName::PullCalendar));
        let renewals = reader.need(&settings::SCHEDULE_REMIND_RENEWALS, values::schedule(JobName::RemindRenewals));
        let expired = reader.need(&settings::SCHEDULE_DEACTIVATE_EXPIRED, values::schedule(JobName::DeactivateExpired));
        let archive = reader.need(&settings::SCHEDULE_ARCHIVE_SESSIONS, values::schedule(JobName::ArchiveSessions));
        let drop_logs = reader.need(&settings::SCHEDULE_DROP_OLD_LOGS, values::schedule(JobName::DropOldLogs));
        let drop_media = reader.need(&settings::SCHEDULE_DROP_OLD_MEDIA, values::schedule(JobName::DropOldMedia));
        let log = LogConfig::read(reader);
        Some(Self {
            metrics_addr,
            database_url: database_url?,
            redis_url: redis_url?,
            schedules: vec![sweep?, figures?, channels?, reminders?, calendars?, archive?, renewals?, expired?, drop_logs?, drop_media?],
            log: log?,
        })
    }
}

#[cfg(test)]
mod tests;
