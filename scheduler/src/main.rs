//! Starts frontdesk-scheduler.
fn main() {}
