//! Stories across processes; one file each.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod agent_guards;
mod crash;
mod dashboard;
mod deadline;
mod deliveries;
mod handoff;
mod inbox;
mod live;
mod message_to_order;
mod orders;
mod products;
mod stock;
mod tenancy;
mod webhooks;
