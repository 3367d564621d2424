//! The sandbox as its callers see it: over HTTP and SMTP, in process.

mod bench;
mod control;
mod gemini;
mod mail;
mod meta;
mod openai;
mod webhooks;
