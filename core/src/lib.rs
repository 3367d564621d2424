//! What every Frontdesk process shares. One line per module:
//!
//! - [`auth`]: passwords, tokens, roles and what each may do
//! - [`availability`]: when an appointment may be
//! - [`billing`]: when a shop is served, by what it paid
//! - [`clock`]: the only place that asks the time
//! - [`config`]: the settings of each process; the only reader of the environment
//! - [`db`]: Postgres: pools, transactions and every query
//! - [`ids`]: one type per kind of id
//! - [`image_url`]: which addresses pictures may have
//! - [`inbound`]: what a customer or a platform told us, in our own words
//! - [`jobs`]: the catalogue of all jobs
//! - [`live`]: "something changed", for open dashboards
//! - [`mailbox`]: the messages of a conversation that wait for a turn
//! - [`media`]: the files that customers send and products show
//! - [`memory`]: the last exchanges of a conversation
//! - [`money`]: exact amounts
//! - [`plans`]: what each plan allows
//! - [`process`]: how every process starts and stops
//! - [`google`]: what ingress and workers agree on about Google
//! - [`lock`]: so that many processes do a thing once
//! - [`queue`]: our storage for apalis on Redis
//! - [`secrets`]: what is encrypted at rest
//! - [`seed`]: sample data
//! - [`signatures`]: webhook signatures, on the raw body
//! - [`telemetry`]: logs, traces and metrics
//! - [`tenancy`]: the scope of one shop, and the doors that make one

pub mod auth;
pub mod availability;
pub mod billing;
pub mod clock;
pub mod config;
pub mod db;
pub mod google;
pub mod hours;
pub mod ids;
pub mod image_url;
pub mod inbound;
pub mod jobs;
pub mod language;
pub mod live;
pub mod lock;
pub mod mailbox;
pub mod media;
pub mod memory;
pub mod money;
pub mod own_texts;
pub mod plans;
pub mod problems;
pub mod process;
pub mod progress;
pub mod queue;
pub mod secrets;
pub mod seed;
pub mod signatures;
pub mod spreadsheet;
pub mod telemetry;
pub mod tenancy;
