//! Starts frontdesk-worker.
fn main() {}
