//! Measures Frontdesk in ratios, in one run, and prints a table. `./dev bench` starts it.

mod accept;
mod args;
mod clock;
mod figures;
mod flood;
mod footprint;
mod metrics;
mod replies;
mod report;
mod run;
mod sandbox;
mod stack;
mod summary;
mod webhook;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Args;
use crate::stack::Stack;

/// How long a control call or a readiness check may take; the longest of them waits 20 s by itself.
const HTTP_WITHIN: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> ExitCode {
    match measure(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
async fn measure(args: Args) -> anyhow::Result<()> {
    let http = http_client()?;
    let programs = std::env::current_exe()?.parent().context("the program has no directory")?.to_owned();
    std::fs::create_dir_all(&args.logs)?;
    let mut stack = Stack::new(programs, args.logs.clone(), http.clone());
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let outcome = tokio::select! {
        outcome = run::run(&args, &mut stack, http) => outcome,
        _ = interrupt.recv() => Err(anyhow::anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("interrupted")),
    };
    stack.stop_all().await;
    let table = outcome?.render();
    println!("\n{table}");
    if let Some(file) = &args.write {
        report::write(file, &table)?;
        eprintln!("    written to {}", file.display());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the benchmark's own client, for the sandbox's control calls; it has a deadline")]
fn http_client() -> anyhow::Result<reqwest::Client> {
    // The only provider; installing it twice is the only error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().timeout(HTTP_WITHIN).no_proxy().build()?)
}
