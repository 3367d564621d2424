//! Starts frontdesk-ingress.
fn main() {}
