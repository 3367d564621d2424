//! For whoever runs the process, and for whoever writes a client.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::call::PublicCx;
use crate::reply::{HttpError, Reply};
use crate::{openapi, postman, routes};

/// A look that takes longer is a no.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the process can do its work.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// Redis: without it nothing can be accepted.
    pub redis: bool,
    /// Postgres: without it webhooks are still accepted, and the dashboard's reads fail.
    pub postgres: bool,
}

pub(crate) async fn healthz(_: PublicCx) -> Result<Reply, HttpError> {
    Ok(Reply::text("ok\n"))
}

/// Ready is who can accept webhooks. A Postgres that is away is told and does not count: taken out of service, the ingress could not even accept
/// what it can.
pub(crate) async fn readyz(cx: PublicCx) -> Result<Reply, HttpError> {
    let (redis, postgres) =
        tokio::join!(tokio::time::timeout(PATIENCE, cx.app.queue.ready()), tokio::time::timeout(PATIENCE, cx.app.db.ready()));
    match redis {
        Ok(Ok(())) => Reply::ok(Readiness { redis: true, postgres: matches!(postgres, Ok(Ok(()))) }),
        Ok(Err(error)) => Err(HttpError::unavailable(error)),
        Err(_) => Err(HttpError::unavailable(anyhow::anyhow!("Redis does not answer"))),
    }
}

pub(crate) async fn openapi(_: PublicCx) -> Result<Reply, HttpError> {
    Reply::ok(openapi::document(&routes::table()))
}

pub(crate) async fn postman_collection(_: PublicCx) -> Result<Reply, HttpError> {
    Reply::ok(postman::collection(&openapi::document(&routes::table())))
}

pub(crate) async fn docs(_: PublicCx) -> Result<Reply, HttpError> {
    Ok(Reply::page(openapi::page(&routes::table())))
}
