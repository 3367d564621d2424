//! A Redis of a test's own: AOF on, nothing evicted, on a free port; killed with the test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server.
#[derive(Debug)]
pub(crate) struct Redis {
    dir: TempDir,
    port: u16,
    child: Child,
}

impl Redis {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { child: spawn(&dir, port), dir, port };
        // Another test may have taken the port in between.
        if redis.answers().await { redis } else { Box::pin(Self::start()).await }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// A connection for the test itself.
    pub(crate) async fn connection(&self) -> redis::aio::MultiplexedConnection {
        redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    /// Stands still: the kernel still accepts connections, nobody answers.
    pub(crate) fn freeze(&self) {
        signal(self.child.id(), "STOP");
    }

    /// Goes on.
    pub(crate) fn thaw(&self) {
        signal(self.child.id(), "CONT");
    }

    /// Kills it as a power cut would; its files stay.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same files and port.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.dir, self.port);
        assert!(self.answers().await, "redis-server did not come back");
    }

    async fn answers(&mut self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while self.child.try_wait().unwrap().is_none() && Instant::now() < until {
            if let Ok(mut conn) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING").query_async::<String>(&mut conn).await.is_ok()
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that the test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = command("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -{name} {pid}");
}

#[expect(clippy::disallowed_methods, reason = "tests start servers")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn spawn(dir: &TempDir, port: u16) -> Child {
    command("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"])
        .args(["--maxmemory-policy", "noeviction", "--no-appendfsync-on-rewrite", "yes", "--dir"])
        .arg(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is not installed; ./dev test installs it")
}
