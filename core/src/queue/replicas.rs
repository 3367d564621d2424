//! Waits until replicas have what was written (`REDIS_WAIT_REPLICAS`). On a connection of its own, since `WAIT` holds up all that follows on its
//! connection; and once for all who ask meanwhile, since it covers everything written before.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::QueueError;

/// How long replicas may take to confirm.
const WITHIN: Duration = Duration::from_secs(1);
/// A write of the barrier's own: `WAIT` confirms the writes of its connection, and with them all earlier ones of any.
const MARK: &str = "fd:replicated";

type Asked = oneshot::Sender<u32>;

/// The barrier; with no replicas asked for it does nothing.
#[derive(Debug)]
pub(crate) struct Replicas {
    want: u32,
    ask: Option<mpsc::Sender<Asked>>,
}

impl Replicas {
    pub(super) fn start(client: redis::Client, want: u32, end: CancellationToken) -> Self {
        if want == 0 {
            return Self { want, ask: None };
        }
        let (ask, asked) = mpsc::channel(1024);
        tokio::spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = confirm_for_ever(&client, want, asked) => {}
            }
        });
        Self { want, ask: Some(ask) }
    }

    /// Returns once as many replicas as asked for have everything written so far.
    pub(crate) async fn have_it(&self) -> Result<(), QueueError> {
        let Some(ask) = &self.ask else { return Ok(()) };
        let (sender, receiver) = oneshot::channel();
        let have = if ask.send(sender).await.is_ok() { receiver.await.unwrap_or(0) } else { 0 };
        if have >= self.want { Ok(()) } else { Err(QueueError::Replicas { want: self.want, have }) }
    }
}

async fn confirm_for_ever(client: &redis::Client, want: u32, mut asked: mpsc::Receiver<Asked>) {
    let mut conn = None;
    let mut waiting = Vec::new();
    while asked.recv_many(&mut waiting, 1024).await > 0 {
        let have = match confirm(client, &mut conn, want).await {
            Ok(have) => have,
            Err(error) => {
                tracing::warn!(%error, "Redis was not asked whether its replicas have it");
                conn = None;
                0
            }
        };
        for one in waiting.drain(..) {
            let _ = one.send(have);
        }
    }
}

async fn confirm(client: &redis::Client, conn: &mut Option<MultiplexedConnection>, want: u32) -> redis::RedisResult<u32> {
    let open = match conn {
        Some(open) => open,
        None => {
            let config = redis::AsyncConnectionConfig::new()
                .set_connection_timeout(Some(Duration::from_secs(2)))
                .set_response_timeout(Some(WITHIN + Duration::from_secs(1)));
            conn.insert(client.get_multiplexed_async_connection_with_config(&config).await?)
        }
    };
    let mut both = redis::pipe();
    both.cmd("SET").arg(MARK).arg("").ignore().cmd("WAIT").arg(want).arg(WITHIN.as_millis() as u64);
    let (have,): (u32,) = both.query_async(open).await?;
    Ok(have)
}
