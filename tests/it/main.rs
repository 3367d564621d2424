//! Stories across processes; one file each.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod agent_guards;
mod appointments;
mod archive;
mod bookings;
mod channels;
mod crash;
mod customers;
mod dashboard;
mod deadline;
mod deliveries;
mod description;
mod google;
mod handoff;
mod inbox;
mod isolation;
mod live;
mod media;
mod message_to_order;
mod orders;
mod product_import;
mod products;
mod reminders;
mod stock;
mod subscriptions;
mod tenancy;
mod trial;
mod webhooks;
