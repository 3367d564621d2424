//! Queries, migrations and the separation of shops, against a real Postgres.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed set-up fails the test")]

mod appointments;
mod figures;
mod google;
mod inbox;
mod media;
mod migrations;
mod orders;
#[path = "../support/postgres.rs"]
mod postgres;
mod records;
mod reminders;
mod search;
mod separation;
mod stock;
mod subscriptions;
mod transactions;
