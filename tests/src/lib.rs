//! `TestStack`: a fresh database, an own Redis, the sandbox, and every process of Frontdesk in one runtime; stories talk to it as customers and
//! owners do.
#![expect(missing_docs, reason = "tests are read as code")]

mod clock;
pub mod postgres;
pub mod redis;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::auth::Passwords;
use frontdesk_core::clock::{Clock, SystemClock};
use frontdesk_core::config::{Config, Environment, IngressConfig, SchedulerConfig, WorkerConfig};
use frontdesk_core::db::{Db, PoolSettings};
use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::Queue;
use frontdesk_core::secrets::Sealer;
use frontdesk_sandbox::{Customer, Inbound, ReceivedSend, Sandbox, SandboxConfig};
use frontdesk_scheduler::Pace;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::clock::MovedClock;
use self::postgres::Database;
use self::redis::Redis;

/// The sample shops' channels.
pub const WHATSAPP: &str = "204411225588002";
pub const MESSENGER: &str = "102030405060709";
pub const INSTAGRAM: &str = "17841400112233446";
pub const SERVICE_WHATSAPP: &str = "204411225588001";
/// Seals the sample data's tokens.
const ENCRYPTION_KEYS: &str = "test:dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI=";
/// Stories that move the clock from day to day do not wait for a tick of a second.
const TICK: Duration = Duration::from_millis(100);
/// Long enough for a busy machine, short enough to notice a hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Settings by name.
#[derive(Debug, Clone, Default)]
pub struct Env(pub BTreeMap<String, String>);

impl Env {
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

impl Environment for Env {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// Everything, running.
pub struct TestStack {
    pub sandbox: Sandbox,
    pub redis: Redis,
    pub database: Database,
    pub env: Env,
    pub media: tempfile::TempDir,
    /// The clock of every process; the machine's own until it is moved.
    pub clock: Arc<MovedClock>,
    pub base_url: String,
    pub http: reqwest::Client,
    pub queue: Queue,
    sessions: Mutex<BTreeMap<String, (String, DateTime<Utc>)>>,
    shutdown: CancellationToken,
    workers: Vec<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
    rest: Vec<JoinHandle<anyhow::Result<()>>>,
}

/// What a stack is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    pub settings: Env,
    pub workers: usize,
    pub scheduler: bool,
    pub sandbox: SandboxConfig,
}

impl Default for Plan {
    fn default() -> Self {
        let mut sandbox = SandboxConfig::default();
        // Stories post webhooks of their own, too.
        sandbox.limits.strangers = true;
        Self { settings: Env::default(), workers: 1, scheduler: true, sandbox }
    }
}

impl Plan {
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings = self.settings.with(name, value);
        self
    }
}

impl TestStack {
    /// All of it, with the settings a shop would run.
    pub async fn start() -> anyhow::Result<Self> {
        Self::planned(Plan::default()).await
    }

    pub async fn planned(plan: Plan) -> anyhow::Result<Self> {
        // Silent unless RUST_LOG asks; the first stack of a process sets it up.
        let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let (database, redis) = tokio::try_join!(Database::create(), Redis::start())?;
        let sandbox = Sandbox::start(plan.sandbox.clone()).await?;
        let mut env = settings(&database, &redis, &sandbox, &plan.sandbox);
        let media = tempfile::tempdir()?;
        env = env.with("MEDIA_URL", format!("file://{}", media.path().display()));
        env.0.extend(plan.settings.0);
        let queue = Queue::connect(&redis.url(), "test").await?;
        let shutdown = CancellationToken::new();
        let passwords = Passwords::with_cost(4)?;
        let clock = Arc::new(MovedClock::default());
        let ingress =
            frontdesk_ingress::serve_with(IngressConfig::from_environment(&env)?, clock.clone(), passwords, shutdown.clone()).await?;
        let base_url = format!("http://{}", ingress.addr);
        sandbox.set_webhook_url(format!("{base_url}/webhook/meta"));
        sandbox.set_stripe_webhook_url(format!("{base_url}/subscriptions/webhook"));
        let mut stack = Self {
            sandbox,
            redis,
            database,
            env,
            media,
            clock: clock.clone(),
            base_url,
            http: frontdesk_workers::clients::http_client()?,
            queue,
            sessions: Mutex::default(),
            shutdown: shutdown.clone(),
            workers: Vec::new(),
            rest: vec![tokio::spawn(async move { ingress.stopped().await })],
        };
        for _ in 0..plan.workers {
            stack.start_worker()?;
        }
        if plan.scheduler {
            let config = SchedulerConfig::from_environment(&stack.env)?;
            let db = Db::connect(&config.database_url, PoolSettings::SCHEDULER).await?;
            let queue = Queue::connect(config.redis_url.expose_secret(), "scheduler").await?;
            let pace = Pace { tick: TICK, ..Pace::default() };
            stack.rest.push(tokio::spawn(async move {
                frontdesk_scheduler::run_at(pace, queue, db, config.schedules, clock, shutdown).await;
                Ok(())
            }));
        }
        Ok(stack)
    }

    /// One more ingress; gives where it listens.
    pub async fn start_ingress(&mut self) -> anyhow::Result<String> {
        let config = IngressConfig::from_environment(&self.env)?;
        let (clock, passwords) = (self.clock.clone(), Passwords::with_cost(4)?);
        let ingress = frontdesk_ingress::serve_with(config, clock, passwords, self.shutdown.clone()).await?;
        let base_url = format!("http://{}", ingress.addr);
        self.rest.push(tokio::spawn(async move { ingress.stopped().await }));
        Ok(base_url)
    }

    /// One more worker.
    pub fn start_worker(&mut self) -> anyhow::Result<()> {
        let config = WorkerConfig::from_environment(&self.env)?;
        let stop = self.shutdown.child_token();
        self.workers.push((stop.clone(), tokio::spawn(frontdesk_workers::run_by(config, self.clock.clone(), stop))));
        Ok(())
    }

    /// A worker as a process of its own, to be killed. `crash_at` names the point at which it kills itself.
    #[expect(clippy::disallowed_methods, reason = "a worker to be killed must be a process of its own")]
    pub fn spawn_worker(&self, crash_at: Option<&str>) -> anyhow::Result<Child> {
        let here = std::env::current_exe()?;
        let built = here.ancestors().nth(2).context("tests lie under the target folder")?.join("frontdesk-worker");
        let mut command = Command::new(&built);
        command.env_clear().envs(&self.env.0).stdout(Stdio::null()).kill_on_drop(true);
        if let Some(point) = crash_at {
            command.env("FRONTDESK_CRASH_AT", point);
        }
        command.spawn().with_context(|| format!("{} is not there; build it by cargo build --workspace --bins", built.display()))
    }

    /// Drains everything; a process that ended badly fails the test.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        for (_, worker) in self.workers {
            tokio::time::timeout(PATIENCE, worker).await.context("a worker does not drain")???;
        }
        for process in self.rest {
            tokio::time::timeout(PATIENCE, process).await.context("a process does not drain")???;
        }
        self.sandbox.stop().await;
        Ok(())
    }

    /// Posts a webhook as Meta would, signed over these very bytes; gives the status.
    pub async fn webhook(&self, body: &[u8]) -> anyhow::Result<u16> {
        let secret = SecretString::from(self.env.get("META_APP_SECRET").context("set")?.split(',').next().unwrap_or_default().to_owned());
        let signature = frontdesk_core::signatures::meta_webhook_signature(&secret, body);
        self.webhook_signed(body, &signature).await
    }

    /// As [`Self::webhook`], with a signature of the caller's.
    pub async fn webhook_signed(&self, body: &[u8], signature: &str) -> anyhow::Result<u16> {
        let request = self.http.post(format!("{}/webhook/meta", self.base_url)).header("x-hub-signature-256", signature);
        Ok(request.header("content-type", "application/json").body(body.to_vec()).send().await?.status().as_u16())
    }

    /// Waits until no turn is under way.
    pub async fn quiet(&self) -> anyhow::Result<()> {
        let unfinished = "SELECT count(*) FROM turns WHERE state <> 'done'";
        until("no turn is under way", async || Ok((self.count(unfinished).await? == 0).then_some(()))).await
    }

    /// The time of the schedule up to which a job was fired.
    pub async fn fired(&self, job: JobName) -> anyhow::Result<Option<DateTime<Utc>>> {
        Ok(self.queue.position(job).await?.map(|position| position.at))
    }

    /// How many of these jobs wait, run, or are to be tried again.
    pub async fn waiting(&self, jobs: &[JobName]) -> anyhow::Result<u64> {
        let mut waiting = 0;
        for job in jobs {
            let stats = self.queue.stats(*job).await?;
            waiting += stats.ready + stats.running + stats.delayed;
        }
        Ok(waiting)
    }

    /// One number from Postgres, as a superuser sees it.
    pub async fn count(&self, sql: &str) -> anyhow::Result<i64> {
        Ok(self.database.look().await?.query_one(sql, &[]).await?.get(0))
    }

    /// A customer of an account.
    pub fn customer<'a>(&'a self, account: &'a str, id: &str) -> Talk<'a> {
        let customer = if account == WHATSAPP || account == SERVICE_WHATSAPP {
            Customer::with_phone(id, "Kim Sample")
        } else {
            Customer::with_psid(id, "Kim Sample")
        };
        Talk { stack: self, account, id: id.to_owned(), customer, heard: std::cell::Cell::new(0) }
    }

    /// Nobody who is logged in.
    pub fn nobody(&self) -> Api<'_> {
        Api { stack: self, token: String::new() }
    }

    /// As [`Self::log_in`], with the session of the last time while it is young: who looks often does not log in each time.
    pub async fn still_logged_in(&self, user: User<'_>) -> anyhow::Result<Api<'_>> {
        let now = self.clock.now();
        let known = lock(&self.sessions).get(user.0).filter(|(_, at)| now - *at < TimeDelta::hours(1)).map(|(token, _)| token.clone());
        if let Some(token) = known {
            return Ok(Api { stack: self, token });
        }
        let api = self.log_in(user).await?;
        lock(&self.sessions).insert(user.0.to_owned(), (api.token.clone(), now));
        Ok(api)
    }

    /// Logs in; the token is a Bearer.
    pub async fn log_in(&self, (email, password): User<'_>) -> anyhow::Result<Api<'_>> {
        let body = json!({"email": email, "password": password});
        let response = self.http.post(format!("{}/auth/login", self.base_url)).json(&body).send().await?;
        ensure!(response.status() == 200, "login of {email}: {}", response.status());
        let body: Value = response.json().await?;
        let token = body["token"].as_str().context("login gives a token")?.to_owned();
        Ok(Api { stack: self, token })
    }
}

/// A sample user: e-mail and password.
pub type User<'a> = (&'a str, &'a str);
pub const OWNER: User<'static> = ("owner@northwind.example", "northwind-owner");
pub const ORDER_MANAGER: User<'static> = ("orders@northwind.example", "northwind-orders");
pub const ACCOUNTANT: User<'static> = ("books@northwind.example", "northwind-books");
pub const OTHER_OWNER: User<'static> = ("owner@elodie.example", "elodie-owner");

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plants the sample shops; passwords are hashed cheaply.
pub(crate) async fn seed(database: &SecretString) -> anyhow::Result<()> {
    let db = Db::connect(database, PoolSettings::SCHEDULER).await?;
    let sealer = Sealer::new(&ENCRYPTION_KEYS.to_owned().into())?;
    frontdesk_core::seed::plant(&db, &sealer, &Passwords::with_cost(4)?, SystemClock.now()).await?;
    Ok(())
}

fn settings(database: &Database, redis: &Redis, sandbox: &Sandbox, of: &SandboxConfig) -> Env {
    let base = sandbox.base_url();
    Env::default()
        .with("LISTEN_ADDR", "127.0.0.1:0")
        .with("PUBLIC_URL", "http://localhost:8080")
        // Stories look often, while they wait.
        .with("API_REQUESTS_PER_MINUTE", "100000")
        .with("DATABASE_URL", database.app_url())
        .with("INGRESS_DATABASE_URL", database.ingress_url())
        .with("REDIS_URL", redis.url())
        .with("JWT_SECRET", "system-tests-system-tests-system-tests-system-tests")
        .with("ENCRYPTION_KEYS", ENCRYPTION_KEYS)
        .with("META_APP_SECRET", format!("{},{}", of.app_secret, of.instagram_app_secret))
        .with("META_VERIFY_TOKEN", of.verify_token.clone())
        .with("META_APP_ID", of.app_id.clone())
        .with("META_GRAPH_URL", format!("{base}/graph"))
        .with("INSTAGRAM_GRAPH_URL", format!("{base}/instagram"))
        .with("GEMINI_URL", format!("{base}/gemini"))
        .with("GEMINI_API_KEY", "test-gemini-key")
        .with("OPENAI_URL", format!("{base}/openai/v1"))
        .with("OPENAI_API_KEY", "test-openai-key")
        .with("MODEL_PRICES", "gemini=0.30/2.50,gpt=0.25/2.00")
        .with("GOOGLE_CLIENT_ID", of.google_client_id.clone())
        .with("GOOGLE_CLIENT_SECRET", of.google_client_secret.clone())
        .with("GOOGLE_OAUTH_URL", format!("{base}/google"))
        .with("GOOGLE_TOKEN_URL", format!("{base}/google"))
        .with("GOOGLE_API_URL", format!("{base}/google"))
        .with("GOOGLE_SHEETS_URL", format!("{base}/google"))
        .with("STRIPE_URL", format!("{base}/stripe"))
        .with("STRIPE_SECRET_KEY", of.stripe_secret_key.clone())
        .with("STRIPE_WEBHOOK_SECRET", of.stripe_webhook_secrets.join(","))
        .with("STRIPE_PRICE_STARTER", "price_starter")
        .with("STRIPE_PRICE_PRO", "price_pro")
        .with("STRIPE_PRICE_BUSINESS", "price_business")
        .with("SMTP_URL", sandbox.smtp_url())
        .with("MAIL_FROM", "Frontdesk <desk@frontdesk.example>")
        .with("LOG_FORMAT", "pretty")
        .with("RUST_LOG", "warn")
}

/// A customer who talks to a shop.
pub struct Talk<'a> {
    stack: &'a TestStack,
    account: &'a str,
    id: String,
    customer: Customer,
    heard: std::cell::Cell<u64>,
}

impl Talk<'_> {
    /// The customer writes; gives the platform's id of the message.
    pub fn says(&self, text: &str) -> anyhow::Result<String> {
        self.sends(&Inbound::Text { text: text.to_owned(), reply_to: None })
    }

    pub fn sends(&self, message: &Inbound) -> anyhow::Result<String> {
        self.stack.sandbox.state().customer_says(self.account, &self.customer, message)
    }

    /// Taps the button with this title under the latest message.
    pub fn taps(&self, button: &Value) -> anyhow::Result<String> {
        let (id, title) = (text_of(&button["id"])?, text_of(&button["title"])?);
        self.sends(&Inbound::Button { id, title, reply_to: None })
    }

    /// The next message that the customer gets.
    pub async fn hears(&self) -> anyhow::Result<ReceivedSend> {
        let sends = self.stack.sandbox.state().wait_for_sends(self.account, &self.id, self.heard.get(), 1, PATIENCE).await;
        let send = sends.into_iter().next().context("the customer hears nothing")?;
        self.heard.set(send.seq);
        Ok(send)
    }

    /// The next message but a holding reply, once its turn is over: what is said now comes after it by every clock.
    pub async fn hears_answer(&self) -> anyhow::Result<ReceivedSend> {
        loop {
            let send = self.hears().await?;
            if send.text.as_deref().is_some_and(|text| !text.contains("One moment")) {
                self.stack.quiet().await?;
                return Ok(send);
            }
        }
    }

    /// The text of the next message.
    pub async fn hears_text(&self) -> anyhow::Result<String> {
        self.hears().await?.text.context("a message without text")
    }

    /// Everything the customer has got so far.
    pub fn heard(&self) -> Vec<ReceivedSend> {
        self.stack
            .sandbox
            .state()
            .sends()
            .into_iter()
            .filter(|send| send.account == self.account && send.customer.as_deref() == Some(&*self.id))
            .collect()
    }
}

/// The reply buttons of a message, as `{id, title}`.
pub fn buttons(send: &ReceivedSend) -> Vec<Value> {
    let whatsapp = send.body["interactive"]["action"]["buttons"].as_array().into_iter().flatten().map(|button| button["reply"].clone());
    let quick = send.body["message"]["quick_replies"].as_array().into_iter().flatten();
    let quick = quick.map(|reply| json!({"id": reply["payload"], "title": reply["title"]}));
    whatsapp.chain(quick).collect()
}

fn text_of(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).context("not a string")
}

/// The API as a user.
pub struct Api<'a> {
    stack: &'a TestStack,
    pub token: String,
}

impl Api<'_> {
    /// Opens this user's dashboard.
    pub async fn dashboard(&self, query: &str) -> anyhow::Result<Dashboard> {
        let bearer = [("authorization", format!("Bearer {}", self.token))];
        let opened = Dashboard::open(&self.stack.base_url, query, &bearer).await?;
        opened.map_err(|status| anyhow::anyhow!("/events answers {status}"))
    }

    async fn call(&self, request: reqwest::RequestBuilder, expected: u16) -> anyhow::Result<Value> {
        let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
        let response = request.send().await?;
        let (status, url) = (response.status().as_u16(), response.url().clone());
        let body = response.bytes().await?;
        ensure!(status == expected, "{url}: expected {expected}, got {status}: {}", String::from_utf8_lossy(&body));
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? })
    }

    /// Whatever the answer is: its status and text.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<(u16, String)> {
        let mut request = self.stack.http.request(method.parse()?, format!("{}{path}", self.stack.base_url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    pub async fn get(&self, path: &str, expected: u16) -> anyhow::Result<Value> {
        self.call(self.stack.http.get(format!("{}{path}", self.stack.base_url)), expected).await
    }

    pub async fn post(&self, path: &str, body: &Value, expected: u16) -> anyhow::Result<Value> {
        self.call(self.stack.http.post(format!("{}{path}", self.stack.base_url)).json(body), expected).await
    }

    /// A file: the answer's headers and text.
    pub async fn file(&self, path: &str, body: &Value) -> anyhow::Result<(reqwest::header::HeaderMap, String)> {
        let request = self.stack.http.post(format!("{}{path}", self.stack.base_url)).json(body).bearer_auth(&self.token);
        let response = request.send().await?;
        ensure!(response.status() == 200, "{path}: {}", response.status());
        Ok((response.headers().clone(), response.text().await?))
    }

    pub async fn post_with_key(&self, path: &str, key: &str, body: &Value, expected: u16) -> anyhow::Result<Value> {
        let request = self.stack.http.post(format!("{}{path}", self.stack.base_url)).header("idempotency-key", key).json(body);
        self.call(request, expected).await
    }

    pub async fn put(&self, path: &str, body: &Value, expected: u16) -> anyhow::Result<Value> {
        self.call(self.stack.http.put(format!("{}{path}", self.stack.base_url)).json(body), expected).await
    }

    /// A CSV file, under a key.
    pub async fn upload(&self, path: &str, key: &str, csv: &str, expected: u16) -> anyhow::Result<Value> {
        let request = self.stack.http.post(format!("{}{path}", self.stack.base_url)).header("idempotency-key", key);
        self.call(request.header("content-type", "text/csv; charset=utf-8").body(csv.to_owned()), expected).await
    }

    /// The answer at a job's place, once it is there.
    pub async fn finished(&self, place: &str) -> anyhow::Result<Option<Value>> {
        let response = self.stack.http.get(format!("{}{place}", self.stack.base_url)).bearer_auth(&self.token).send().await?;
        match response.status().as_u16() {
            202 => Ok(None),
            200 => Ok(Some(response.json().await?)),
            status => anyhow::bail!("{place}: {status}: {}", response.text().await?),
        }
    }

    pub async fn patch(&self, path: &str, body: &Value, expected: u16) -> anyhow::Result<Value> {
        self.call(self.stack.http.patch(format!("{}{path}", self.stack.base_url)).json(body), expected).await
    }

    pub async fn delete(&self, path: &str, expected: u16) -> anyhow::Result<Value> {
        self.call(self.stack.http.delete(format!("{}{path}", self.stack.base_url)), expected).await
    }
}

/// An open dashboard: what `/events` tells.
pub struct Dashboard {
    socket: tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>,
}

impl Dashboard {
    /// Connects to an ingress, with headers, and `query` after the path; gives the status if it is refused.
    pub async fn open(base_url: &str, query: &str, headers: &[(&'static str, String)]) -> anyhow::Result<Result<Self, u16>> {
        use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest as _};
        let host = base_url.strip_prefix("http://").context("http")?;
        let mut request = format!("ws://{host}/events{query}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        let stream = tokio::net::TcpStream::connect(host).await?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Ok(Self { socket })),
            Err(Error::Http(response)) => Ok(Err(response.status().as_u16())),
            Err(error) => Err(error.into()),
        }
    }

    /// The next frame; `Err` with the code when the server closes.
    pub async fn frame(&mut self) -> anyhow::Result<Result<Value, u16>> {
        use futures_util::StreamExt as _;
        use tokio_tungstenite::tungstenite::Message;
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.context("no frame")?.context("the line broke")??;
            match message {
                Message::Text(text) => return Ok(Ok(serde_json::from_str(&text)?)),
                Message::Close(frame) => return Ok(Err(frame.map_or(0, |frame| frame.code.into()))),
                _ => {}
            }
        }
    }

    /// The next frame, which is no goodbye.
    pub async fn hears(&mut self) -> anyhow::Result<Value> {
        self.frame().await?.map_err(|code| anyhow::anyhow!("closed with {code}"))
    }
}

/// Waits until `check` gives something.
pub async fn until<T>(what: &str, mut check: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("waited in vain until {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
