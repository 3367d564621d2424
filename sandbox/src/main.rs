//! Starts frontdesk-sandbox.
fn main() {}
