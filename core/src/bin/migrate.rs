//! `frontdesk-migrate`: prepares the database (roles, schema, privileges, administrator) and exits; on request it adds sample data.

use anyhow::Context as _;
use clap::{Arg, ArgAction, Command};
use frontdesk_core::auth::Passwords;
use frontdesk_core::clock::{Clock as _, SystemClock};
use frontdesk_core::config::settings::{self, Process};
use frontdesk_core::config::{self, Config, LogConfig, ProcessEnvironment, Reader};
use frontdesk_core::db::migrations::Owner;
use frontdesk_core::db::{Db, PoolSettings};
use frontdesk_core::secrets::Sealer;
use frontdesk_core::{seed, telemetry};
use secrecy::{ExposeSecret, SecretString};

struct MigrateConfig {
    owner_url: SecretString,
    app_url: SecretString,
    ingress_url: SecretString,
    encryption_keys: SecretString,
    admin: Option<(String, SecretString)>,
    log: LogConfig,
}

impl Config for MigrateConfig {
    const PROCESS: Process = Process::Migrate;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let owner_url = config::postgres_url(reader, &settings::MIGRATE_DATABASE_URL);
        let app_url = config::postgres_url(reader, &settings::DATABASE_URL);
        let ingress_url = config::postgres_url(reader, &settings::INGRESS_DATABASE_URL);
        let encryption_keys = config::encryption_keys(reader);
        let email = reader.may(&settings::ADMIN_EMAIL, |raw| {
            if raw.contains('@') { Ok(raw.to_owned()) } else { Err("must be a mail address".to_owned()) }
        });
        let password = reader.may(&settings::ADMIN_PASSWORD, |raw| Ok(SecretString::from(raw)));
        if email.is_some() && password.is_none() {
            reader.refuse(&settings::ADMIN_PASSWORD, "is needed with ADMIN_EMAIL");
        }
        let log = LogConfig::read(reader);
        Some(Self {
            owner_url: owner_url?,
            app_url: app_url?,
            ingress_url: ingress_url?,
            encryption_keys: encryption_keys?,
            admin: email.zip(password),
            log: log?,
        })
    }
}

fn command() -> Command {
    config::command(Process::Migrate)
        .subcommand(Command::new("up").about("Make the roles, apply what is pending, grant, create the administrator (the default)"))
        .subcommand(
            Command::new("down")
                .about("Revert the latest migration; data in what it made is lost")
                .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Revert every migration: the database is empty then")),
        )
        .subcommand(Command::new("status").about("Say which migrations stand and which are pending; fails if any is pending"))
        .subcommand(
            Command::new("seed").about("Add the sample shops with their people, products, channels and a year of orders; safe to repeat"),
        )
}

#[expect(clippy::print_stdout, reason = "what a command line says to the person who typed it")]
#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let matches = command().get_matches();
    let config = MigrateConfig::from_environment(&ProcessEnvironment)?;
    let _telemetry = telemetry::start(Process::Migrate.binary(), &config.log);
    let owner = Owner::connect(&config.owner_url, &config.app_url, &config.ingress_url).await?;
    match matches.subcommand() {
        Some(("down", arguments)) => {
            for migration in owner.down(arguments.get_flag("all")).await? {
                println!("reverted {migration}");
            }
        }
        Some(("status", _)) => {
            let status = owner.status().await?;
            status.applied.iter().for_each(|migration| println!("applied  {migration}"));
            status.pending.iter().for_each(|migration| println!("pending  {migration}"));
            anyhow::ensure!(status.pending.is_empty(), "{} migration(s) pending", status.pending.len());
        }
        Some(("seed", _)) => {
            drop(owner);
            let db = Db::connect(&config.app_url, PoolSettings::SCHEDULER).await?;
            let sample = seed::plant(&db, &Sealer::new(&config.encryption_keys)?, &Passwords::new()?, SystemClock.now()).await?;
            print!("{sample}");
        }
        _ => up(owner, &config).await?,
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a command line says to the person who typed it")]
async fn up(owner: Owner, config: &MigrateConfig) -> anyhow::Result<()> {
    let (applied, mut owner) = owner.up().await?;
    applied.iter().for_each(|migration| println!("applied {migration}"));
    if let Some((email, password)) = &config.admin {
        save_admin(&mut owner, email, password).await.context("the administrator could not be created")?;
    }
    drop(owner);
    // Both roles must get in, and row-level security must bind them: better found here than at the next start of a process.
    for (name, url) in [("DATABASE_URL", &config.app_url), ("INGRESS_DATABASE_URL", &config.ingress_url)] {
        let db = Db::connect(url, PoolSettings::SCHEDULER).await.with_context(|| format!("{name} does not work"))?;
        if name == "DATABASE_URL" {
            db.ensure_log_partitions().await.context("the log's partitions could not be made")?;
        }
    }
    println!("the database is ready");
    Ok(())
}

/// A password that is right already is left alone, so that a restart does not wait for bcrypt twice and hashes do not change.
async fn save_admin(owner: &mut Owner, email: &str, password: &SecretString) -> anyhow::Result<()> {
    anyhow::ensure!(!password.expose_secret().is_empty(), "ADMIN_PASSWORD is empty");
    let passwords = Passwords::new()?;
    let standing = owner.admin_hash(email).await?;
    if standing.is_some() && passwords.verify(password.clone(), standing).await? {
        return Ok(());
    }
    owner.save_admin(email, &passwords.hash(password.clone()).await?).await?;
    Ok(())
}
