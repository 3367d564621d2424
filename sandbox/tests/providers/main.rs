//! The sandbox as its callers see it: over HTTP and SMTP, in process.
#![expect(clippy::unwrap_used, reason = "also in what the tests share: a set-up that fails is a test that fails")]

mod bench;
mod control;
mod gemini;
mod google;
mod mail;
mod meta;
mod openai;
mod stripe;
mod webhooks;
