//! The course of a run: what is started when, and what is measured on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::accept::{self, Source};
use crate::args::{Args, Part};
use crate::flood::{self, CALM_TEXT, FLOOD_TEXT, Flood, Plan};
use crate::footprint;
use crate::metrics::Queues;
use crate::replies::{self, Arrival, Load, Outcome};
use crate::report::{Cost, Crowd, Report};
use crate::sandbox::{Message, Model, Sandbox};
use crate::stack::{Program, Stack, free_address};
use crate::summary;
use crate::webhook::{Account, Customer, PRODUCTS, SERVICES, Signer};
use crate::wire::Pool;

/// What the crowds write.
const TEXT: &str = "hi, do you have red sneakers in 42?";
/// Customers before each measured crowd, so that channels, statements and connections are there.
const WARM_UP: usize = 10;
/// How long a crowd is waited for: a call of a hanging model is given up after 20 s, and then asked again.
const PATIENCE: Duration = Duration::from_secs(60);
/// After the last answer, until receipts have come and gone; the scheduler looks at the queues every 5 s.
const SETTLE: Duration = Duration::from_secs(6);
/// How long the queues may take to empty.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// A million keys go within seconds, but not within redis-rs's half a second.
const REDIS_EMPTIED_WITHIN: Duration = Duration::from_secs(30);

/// The crowds, by how Gemini and OpenAI behave.
const BEHAVIOURS: [(&str, Model, Model); 4] = [
    ("both answer", Model::Well, Model::Well),
    ("Gemini fails (500 after a call's time)", Model::Fails, Model::Well),
    ("Gemini hangs", Model::Hangs, Model::Well),
    ("both hang, then answer", Model::Hangs, Model::Hangs),
];

/// Everything that is asked for, in order.
pub(crate) async fn run(args: &Args, stack: &mut Stack, http: reqwest::Client) -> anyhow::Result<Report> {
    let bench = Bench::new(args, http)?;
    let load_before = std::fs::read_to_string("/proc/loadavg").ok().map(|text| text.split(' ').take(3).collect::<Vec<_>>().join(", "));
    let mut report = Report { load_before, model_ms: args.model_ms, ..Report::default() };
    if args.wants(Part::Accept) {
        say("Accepting webhooks");
        report.accepting = Some(bench.accept(stack).await?);
    }
    if !(args.wants(Part::Latency) || args.wants(Part::Flood) || args.wants(Part::Footprint) || args.wants(Part::Summary)) {
        return Ok(report);
    }
    say("Introducing the customers to the sandbox");
    stack.start(&bench.sandbox_program()).await?;
    let mut cast = bench.cast().await?;
    stack.start(&bench.ingress_program()).await?;
    stack.start(&bench.scheduler_program()).await?;
    if args.wants(Part::Latency) {
        (report.crowds, report.costs) = bench.crowds(stack, &mut cast).await?;
    }
    if args.wants(Part::Flood) {
        report.flood = Some(bench.flood(stack, &mut cast).await?);
    }
    if args.wants(Part::Footprint) {
        (report.footprints, report.queues) = bench.footprints(stack, &mut cast).await?;
    }
    if args.wants(Part::Summary) {
        say("A shop's figures, over a thousand orders and over a million");
        if !(args.wants(Part::Latency) || args.wants(Part::Flood) || args.wants(Part::Footprint)) {
            bench.fresh_workers(stack, &mut cast).await?;
        }
        report.summaries = Some(summary::measure(&bench.http, &format!("http://{}", bench.ingress), &args.database_url).await?);
    }
    Ok(report)
}

/// What is going on, and how long the run has lasted.
fn say(what: &str) {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let seconds = BEGUN.get_or_init(Instant::now).elapsed().as_secs();
    eprintln!("    {seconds:>3} s  {what}");
}

/// Customers prepared in the sandbox, for each of the measurements.
#[derive(Default)]
struct Cast {
    /// One group per start of the workers.
    warm_ups: Vec<Vec<Message>>,
    /// One list of crowds per behaviour.
    crowds: Vec<Vec<Vec<Message>>>,
    alone: Vec<Message>,
    flooded: Vec<Message>,
    flood: Vec<Message>,
}

struct Bench<'a> {
    args: &'a Args,
    http: reqwest::Client,
    ingress: SocketAddr,
    load: Load,
}

impl<'a> Bench<'a> {
    fn new(args: &'a Args, http: reqwest::Client) -> anyhow::Result<Self> {
        let ingress = SocketAddr::from((Ipv4Addr::LOCALHOST, args.ingress_port));
        let signer = Signer::new(args.app_secret.split(',').next().unwrap_or_default())?;
        let sandbox = Sandbox::new(format!("http://127.0.0.1:{}", args.sandbox_port), http.clone());
        Ok(Self { args, http, ingress, load: Load { pool: Pool::new(ingress), signer, sandbox } })
    }

    /// No worker runs, so that accepting is all there is; what was accepted is thrown away.
    async fn accept(&self, stack: &mut Stack) -> anyhow::Result<accept::Accepting> {
        let bare = free_address()?;
        stack.start(&self.ingress_program()).await?;
        stack.start(&bare_program(bare)).await?;
        let source = Arc::new(Source::new(self.load.signer.clone()));
        let accepting = accept::measure(source, self.ingress, bare, self.args.rounds, self.args.round(), self.args.connections).await?;
        let metrics = self.http.get(format!("http://127.0.0.1:{}/metrics", self.args.ingress_metrics_port)).send().await?.text().await?;
        accepting.check(&metrics)?;
        stack.stop(&["bare-acceptor", "ingress"]).await;
        self.empty_redis().await.context("empty Redis")?;
        Ok(accepting)
    }

    /// Consent is given by --discard-redis-data.
    async fn empty_redis(&self) -> anyhow::Result<()> {
        let client = redis::Client::open(self.args.redis_url.as_str())?;
        let patient = redis::AsyncConnectionConfig::new().set_response_timeout(Some(REDIS_EMPTIED_WITHIN));
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await?;
        Ok(redis::cmd("FLUSHALL").arg("SYNC").query_async(&mut connection).await?)
    }

    /// All customers that will write, each known to the sandbox before anything is measured.
    async fn cast(&self) -> anyhow::Result<Cast> {
        let mut next = 0;
        let mut people = |count: usize| -> Vec<Customer> {
            let first = next;
            next += count as u64;
            (first..next).map(|n| Customer::new(1, n)).collect()
        };
        let (args, sandbox) = (self.args, &self.load.sandbox);
        let mut cast = Cast::default();
        let mut starts = 0;
        if args.wants(Part::Latency) {
            for number in 0..BEHAVIOURS.len() {
                let mut crowds = Vec::new();
                for _ in 0..if number == 0 { args.crowds } else { 1 } {
                    crowds.push(sandbox.prepare(PRODUCTS, people(args.customers), TEXT).await?);
                }
                cast.crowds.push(crowds);
                starts += 1;
            }
        }
        if args.wants(Part::Flood) {
            let crowd = people(args.flood_customers);
            let writers = crowd.iter().cycle().take(args.flood_messages).cloned().collect();
            cast.flood = sandbox.prepare(PRODUCTS, writers, FLOOD_TEXT).await?;
            cast.alone = sandbox.prepare(SERVICES, people(args.calm_customers), CALM_TEXT).await?;
            cast.flooded = sandbox.prepare(SERVICES, people(args.calm_customers), CALM_TEXT).await?;
            starts += 1;
        }
        for _ in 0..starts.max(1) {
            cast.warm_ups.push(sandbox.prepare(PRODUCTS, people(WARM_UP), TEXT).await?);
        }
        Ok(cast)
    }

    /// Fresh workers, so that no circuit breaker remembers what went before; then a few customers whom nobody counts.
    async fn fresh_workers(&self, stack: &mut Stack, cast: &mut Cast) -> anyhow::Result<()> {
        stack.stop(&["worker-1", "worker-2"]).await;
        for program in self.worker_programs() {
            stack.start(&program).await?;
        }
        say("… workers are ready");
        let arrivals = replies::at_random(cast.warm_ups.pop().unwrap_or_default(), Duration::from_secs(1));
        let outcome = self.answered(PRODUCTS, arrivals, (Model::Well, Model::Well)).await?;
        anyhow::ensure!(outcome.answer_ms.len() > 0, "nobody is answered: see the workers' logs in {}", self.args.logs.display());
        Ok(())
    }

    async fn answered(&self, account: Account, arrivals: Vec<Arrival>, models: (Model, Model)) -> anyhow::Result<Outcome> {
        let outage = Duration::from_millis(self.args.outage_ms);
        self.load.crowd(account, arrivals, TEXT, models, outage, PATIENCE).await
    }

    /// The crowds, and what an answer costs each process while both models answer.
    async fn crowds(&self, stack: &mut Stack, cast: &mut Cast) -> anyhow::Result<(Vec<Crowd>, Vec<Cost>)> {
        let within = Duration::from_millis(self.args.arrive_within_ms);
        let (mut measured, mut costs) = (Vec::new(), Vec::new());
        for ((models, gemini, openai), crowds) in BEHAVIOURS.into_iter().zip(std::mem::take(&mut cast.crowds)) {
            say(&format!("Customers and their replies: {models}"));
            self.fresh_workers(stack, cast).await?;
            let mut outcomes = Vec::new();
            let roots = self.roots(stack);
            let before = footprint::processor_ms(&roots);
            for crowd in crowds {
                outcomes.push(self.answered(PRODUCTS, replies::at_random(crowd, within), (gemini, openai)).await?);
            }
            let outcome = Outcome::join(outcomes);
            if measured.is_empty() {
                let answers = outcome.answer_ms.len().max(1) as f64;
                let taken = footprint::processor_ms(&roots).into_iter().zip(before).map(|(after, before)| (after - before) / answers);
                costs = roots.into_iter().zip(taken).map(|((name, _), ms_per_answer)| Cost { name, ms_per_answer }).collect();
            }
            measured.push(Crowd { models, outcome });
        }
        Ok((measured, costs))
    }

    async fn flood(&self, stack: &mut Stack, cast: &mut Cast) -> anyhow::Result<Flood> {
        say("A flood from one shop");
        self.fresh_workers(stack, cast).await?;
        let flood_within = Duration::from_millis(self.args.flood_ms);
        // The calm shop's customers come while the flood does: it begins a second earlier and ends a second later.
        let calm = flood_within.saturating_sub(Duration::from_secs(2));
        let plan = Plan {
            alone: replies::evenly(std::mem::take(&mut cast.alone), calm),
            flooded: replies::evenly(std::mem::take(&mut cast.flooded), calm),
            flood: replies::evenly(std::mem::take(&mut cast.flood), flood_within),
            flood_customers: self.args.flood_customers.min(self.args.flood_messages),
            flood_within,
        };
        flood::measure(&self.load, plan).await
    }

    async fn footprints(&self, stack: &mut Stack, cast: &mut Cast) -> anyhow::Result<(Vec<footprint::Footprint>, Option<Queues>)> {
        say("Memory and idle processor time");
        if !self.args.wants(Part::Latency) && !self.args.wants(Part::Flood) {
            self.fresh_workers(stack, cast).await?;
        }
        let queues = self.settled().await?;
        let mut roots = self.roots(stack);
        roots.retain(|(name, _)| name != "sandbox");
        let footprints = footprint::measure(&roots, Duration::from_millis(self.args.idle_ms)).await;
        if footprints.is_empty() {
            say("there is no /proc here, so no such figures");
        }
        say("Stopping");
        Ok((footprints, queues))
    }

    /// Waits until nothing is left to do, within limits, and says how the queues stand.
    async fn settled(&self) -> anyhow::Result<Option<Queues>> {
        let deadline = Instant::now() + SETTLED_WITHIN;
        loop {
            tokio::time::sleep(SETTLE).await;
            let metrics =
                self.http.get(format!("http://127.0.0.1:{}/metrics", self.args.scheduler_metrics_port)).send().await?.text().await?;
            let queues = Queues::read(&metrics);
            if queues.is_some_and(|queues| queues.open == 0.0) || Instant::now() >= deadline {
                return Ok(queues);
            }
        }
    }

    /// Everything that runs, with its process id.
    fn roots(&self, stack: &Stack) -> Vec<(String, u32)> {
        let ours = stack.processes().into_iter().map(|(name, pid)| (name.to_owned(), pid));
        ours.chain(self.args.watch.iter().cloned()).collect()
    }

    fn sandbox_program(&self) -> Program {
        let environment = vec![
            ("SANDBOX_MODEL_LATENCY_MS", self.args.model_ms.to_string()),
            ("SANDBOX_MODEL_JITTER_MS", "0".to_owned()),
            // What Meta lets one number send is not what is measured here.
            ("SANDBOX_NUMBER_PER_SECOND", "0".to_owned()),
        ];
        let ready = format!("http://127.0.0.1:{}/control", self.args.sandbox_port);
        Program { name: "sandbox", binary: "frontdesk-sandbox", environment, arguments: Vec::new(), ready }
    }

    fn ingress_program(&self) -> Program {
        let environment = vec![("LISTEN_ADDR", self.ingress.to_string()), metrics_on(self.args.ingress_metrics_port)];
        let ready = format!("http://{}/readyz", self.ingress);
        Program { name: "ingress", binary: "frontdesk-ingress", environment, arguments: Vec::new(), ready }
    }

    fn worker_programs(&self) -> [Program; 2] {
        [("worker-1", self.args.worker_1_metrics_port), ("worker-2", self.args.worker_2_metrics_port)]
            .map(|(name, port)| behind_metrics(name, "frontdesk-worker", port))
    }

    fn scheduler_program(&self) -> Program {
        behind_metrics("scheduler", "frontdesk-scheduler", self.args.scheduler_metrics_port)
    }
}

fn metrics_on(port: u16) -> (&'static str, String) {
    ("METRICS_ADDR", format!("127.0.0.1:{port}"))
}

fn behind_metrics(name: &'static str, binary: &'static str, port: u16) -> Program {
    let ready = format!("http://127.0.0.1:{port}/healthz");
    Program { name, binary, environment: vec![metrics_on(port)], arguments: Vec::new(), ready }
}

fn bare_program(listen: SocketAddr) -> Program {
    Program {
        name: "bare-acceptor",
        binary: "bare-acceptor",
        environment: Vec::new(),
        arguments: vec!["--listen".to_owned(), listen.to_string()],
        ready: format!("http://{listen}/"),
    }
}
