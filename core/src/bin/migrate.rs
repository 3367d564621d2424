//! Applies migrations.
fn main() {}
