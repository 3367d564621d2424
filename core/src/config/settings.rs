//! Every setting, once: its name, its default, what it means and which process reads it. `--help` and `.env.example` are held to this table.

/// A process of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// `frontdesk-ingress`
    Ingress,
    /// `frontdesk-worker`
    Worker,
    /// `frontdesk-scheduler`
    Scheduler,
    /// `frontdesk-migrate`
    Migrate,
}

impl Process {
    /// The binary's name.
    #[must_use]
    pub const fn binary(self) -> &'static str {
        match self {
            Self::Ingress => "frontdesk-ingress",
            Self::Worker => "frontdesk-worker",
            Self::Scheduler => "frontdesk-scheduler",
            Self::Migrate => "frontdesk-migrate",
        }
    }

    /// What it does, in a line.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Ingress => "The HTTP face of Frontdesk: checks who asks, reads, enqueues",
            Self::Worker => "Runs Frontdesk's jobs: answers customers, places orders",
            Self::Scheduler => "Decides when Frontdesk's recurring jobs run, and enqueues them",
            Self::Migrate => "Prepares Frontdesk's database: roles, schema, sample data",
        }
    }
}

/// What happens when a setting is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The process does not start.
    Refused,
    /// The feature is off.
    Off,
    /// This value stands.
    Default(&'static str),
}

/// One environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What its absence means.
    pub absent: Absent,
    /// What it means, with unit and form.
    pub help: &'static str,
    /// Who reads it.
    pub processes: &'static [Process],
}

macro_rules! settings {
    ($($name:ident $absent:expr, [$($process:ident),*], $help:literal;)*) => {
        $(#[doc = $help] pub const $name: Setting =
            Setting { name: stringify!($name), absent: $absent, help: $help, processes: &[$(Process::$process),*] };)*

        /// All settings, in the order of `--help`.
        pub const ALL: &[Setting] = &[$($name),*];
    };
}

use Absent::{Default, Off, Refused};

settings! {
    LISTEN_ADDR Default("0.0.0.0:8080"), [Ingress], "Where to listen for HTTP";
    PUBLIC_URL Default("http://localhost:8080"), [Ingress, Worker], "How browsers and mails reach the ingress; https, or http on localhost alone";
    TRUSTED_PROXIES Off, [Ingress], "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; what they take in the clear is sent to https: a list of addresses or networks, e.g. 10.0.0.0/8,::1";
    API_WAIT_MS Default("5000"), [Ingress], "How long an API write waits for its job before it answers 202, in milliseconds";
    API_REQUESTS_PER_MINUTE Default("600"), [Ingress], "How many API requests one shop's people and programs may make in a minute, all together";
    METRICS_ADDR Off, [Ingress, Worker, Scheduler], "Where to serve Prometheus metrics (/metrics), on a listener of its own";
    DATABASE_URL Refused, [Worker, Scheduler, Migrate], "Postgres as the application's role: postgres://user:password@host/database";
    INGRESS_DATABASE_URL Refused, [Ingress, Migrate], "Postgres as the ingress's role, which may only read";
    MIGRATE_DATABASE_URL Refused, [Migrate], "Postgres as the owner of the tables; migrations alone use it";
    REDIS_URL Refused, [Ingress, Worker, Scheduler], "Redis with AOF and maxmemory-policy noeviction: redis://host:6379/0, or rediss:// for TLS";
    REDIS_WAIT_REPLICAS Default("0"), [Ingress, Worker], "How many Redis replicas must have an accepted webhook before it is answered 200";
    JWT_SECRET Refused, [Ingress], "Signs session tokens: a list, the first signs, all verify; each at least 32 bytes";
    ENCRYPTION_KEYS Refused, [Ingress, Worker, Migrate], "Seals tokens at rest: a list of id:base64 with 32 bytes each; the first seals, all open";
    META_APP_SECRET Refused, [Ingress, Worker], "Checks webhook signatures: a list, the Meta app's first, then the Instagram app's and rotated ones";
    META_VERIFY_TOKEN Refused, [Ingress], "What Meta sends to verify the webhook's URL; at least 8 characters";
    META_APP_ID Refused, [Worker], "The Meta app's id: tells our own echoes from those of people";
    META_GRAPH_URL Default("https://graph.facebook.com"), [Worker], "Meta's Graph API";
    INSTAGRAM_GRAPH_URL Default("https://graph.instagram.com"), [Worker], "The Graph API of accounts connected with Instagram Login";
    META_GRAPH_VERSION Default("v26.0"), [Worker], "Version of the Graph API";
    MEDIA_URL Default("file:///var/lib/frontdesk/media"), [Ingress, Worker], "Where files of customers and products are kept: file:///directory or s3://bucket/prefix";
    AWS_REGION Off, [Ingress, Worker], "The region of MEDIA_URL's bucket; us-east-1 when absent";
    AWS_ENDPOINT_URL Off, [Ingress, Worker], "Another S3 than Amazon's for MEDIA_URL, e.g. https://minio.example.com";
    AWS_ACCESS_KEY_ID Off, [Ingress, Worker], "Key for MEDIA_URL's bucket; without it, the machine's own role";
    AWS_SECRET_ACCESS_KEY Off, [Ingress, Worker], "Its secret; needed with AWS_ACCESS_KEY_ID";
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI Off, [Ingress, Worker], "Where ECS tells a task's own role; ECS sets it itself";
    GEMINI_API_KEY Off, [Worker], "Key for Gemini; at least one model key is needed";
    GEMINI_URL Default("https://generativelanguage.googleapis.com"), [Worker], "The Gemini API";
    GEMINI_MODEL Default("gemini-3.8-flash"), [Worker], "Model that answers customers";
    OPENAI_API_KEY Off, [Worker], "Key for OpenAI, or any compatible server; it answers when Gemini is slow or down";
    OPENAI_URL Default("https://api.openai.com/v1"), [Worker], "The OpenAI API, or any compatible server";
    OPENAI_MODEL Default("gpt-6-luna"), [Worker], "Model of the fallback";
    MODEL_PRICES Off, [Worker], "US dollars per million tokens in and out, a list of model=in/out, e.g. gemini-3.8-flash=0.30/2.50";
    HEDGE_AFTER_MS Default("1200"), [Worker], "How long Gemini may take before OpenAI is asked too, in milliseconds";
    REPLY_QUIET_MS Default("500"), [Worker], "How long the first message of a burst waits for more, in milliseconds";
    REPLY_DEADLINE_MS Default("3000"), [Worker], "How soon after the webhook a customer has an answer, in milliseconds";
    GOOGLE_CLIENT_ID Off, [Ingress, Worker], "The OAuth client by which shops connect Google Calendar; without it nobody can";
    GOOGLE_CLIENT_SECRET Off, [Worker], "That client's secret; needed with GOOGLE_CLIENT_ID";
    GOOGLE_OAUTH_URL Default("https://accounts.google.com"), [Ingress], "Where people say yes to Google's consent screen";
    GOOGLE_TOKEN_URL Default("https://oauth2.googleapis.com"), [Worker], "Where Google gives, renews and revokes tokens";
    GOOGLE_API_URL Default("https://www.googleapis.com"), [Worker], "Google Calendar's API";
    GOOGLE_SHEETS_URL Default("https://sheets.googleapis.com"), [Worker], "Google Sheets' API";
    STRIPE_SECRET_KEY Off, [Worker], "Stripe's key, sk_… or rk_…; without it nobody can subscribe";
    STRIPE_WEBHOOK_SECRET Off, [Ingress], "Checks Stripe's webhooks: a list of whsec_… secrets, any may have signed; without it none are taken";
    STRIPE_URL Default("https://api.stripe.com"), [Worker], "Stripe's API";
    STRIPE_PRICE_STARTER Off, [Worker], "Stripe's monthly price of the plan Starter, price_…; needed with STRIPE_SECRET_KEY";
    STRIPE_PRICE_PRO Off, [Worker], "Stripe's monthly price of the plan Pro, price_…; needed with STRIPE_SECRET_KEY";
    STRIPE_PRICE_BUSINESS Off, [Worker], "Stripe's monthly price of the plan Business, price_…; needed with STRIPE_SECRET_KEY";
    SMTP_URL Off, [Worker], "Mail server for notices: smtp://host:25 or smtps://user:password@host:465";
    MAIL_FROM Off, [Worker], "Sender of notices; needed with SMTP_URL";
    TRIAL_DAYS Default("14"), [Worker], "Length of a new shop's trial in days; 0 is none";
    BILLING_GRACE_DAYS Default("3"), [Ingress, Worker], "How many days a shop is still served after what it paid for is over; one that cancelled is not";
    LOG_RETENTION_DAYS Default("90"), [Worker], "How long raw events are kept, in days";
    MEDIA_RETENTION_DAYS Default("365"), [Worker], "How long files of customers are kept, in days";
    WORKER_JOBS Off, [Worker], "Which jobs this worker runs, a list, e.g. answer_customer,place_order; all when absent";
    WORKER_CONCURRENCY Off, [Worker], "How many of a job run at once: one number for every job, or a list of job=number";
    SCHEDULE_SWEEP_QUEUES Default("0 * * * * *"), [Scheduler], "When queues are swept: cron with seconds, then a zone if not UTC";
    SCHEDULE_CHECK_FIGURES Default("0 40 3 * * *"), [Scheduler], "When the figures are counted anew: cron with seconds, then a zone if not UTC";
    SCHEDULE_WATCH_CHANNELS Default("0 20 7 * * *"), [Scheduler], "When Meta is asked whether the channels' tokens still hold: cron with seconds, then a zone if not UTC";
    SCHEDULE_REMIND_CUSTOMERS Default("30 */5 * * * *"), [Scheduler], "When appointments are looked at of which customers are to be reminded: cron with seconds, then a zone if not UTC";
    SCHEDULE_PULL_CALENDAR Default("0 */5 * * * *"), [Scheduler], "When connected Google calendars are looked at: cron with seconds, then a zone if not UTC";
    SCHEDULE_REMIND_RENEWALS Default("0 0 5 * * *"), [Scheduler], "When owners are reminded of what ends, and Stripe is asked what no webhook told: cron with seconds, then a zone if not UTC";
    SCHEDULE_DEACTIVATE_EXPIRED Default("0 0 6 * * *"), [Scheduler], "When shops are turned off whose grace is over, after the reminders: cron with seconds, then a zone if not UTC";
    SCHEDULE_ARCHIVE_SESSIONS Default("15 */10 * * * *"), [Scheduler], "When sessions that have been silent for a day are written to Postgres: cron with seconds, then a zone if not UTC";
    SCHEDULE_DROP_OLD_LOGS Default("0 10 3 * * *"), [Scheduler], "When old logs are dropped: cron with seconds, then a zone if not UTC";
    SCHEDULE_DROP_OLD_MEDIA Default("0 25 3 * * *"), [Scheduler], "When customers' old files are given up: cron with seconds, then a zone if not UTC";
    ADMIN_EMAIL Off, [Migrate], "The platform administrator to create";
    ADMIN_PASSWORD Off, [Migrate], "That administrator's password; needed with ADMIN_EMAIL";
    LOG_FORMAT Default("json"), [Ingress, Worker, Scheduler, Migrate], "json, or pretty for people";
    RUST_LOG Default("info"), [Ingress, Worker, Scheduler, Migrate], "Which log lines are written, e.g. info,frontdesk_core=debug";
    OTEL_EXPORTER_OTLP_ENDPOINT Off, [Ingress, Worker, Scheduler, Migrate], "OpenTelemetry collector to send spans to, over HTTP, e.g. http://localhost:4318";
}

/// The settings of one process, as a table for `--help`.
#[must_use]
pub fn help(process: Process) -> String {
    let mut lines = String::from("Settings, all from the environment (an empty one counts as absent):\n");
    for setting in ALL.iter().filter(|setting| setting.processes.contains(&process)) {
        let absent = match setting.absent {
            Refused => "required".to_owned(),
            Off => "optional".to_owned(),
            Default(value) => format!("default {value}"),
        };
        lines.push_str(&format!("  {:<24} {} ({absent})\n", setting.name, setting.help));
    }
    lines
}
