//! A database of a test's own, made from a template that was migrated once; in the cluster that `FRONTDESK_TEST_POSTGRES` names, or else in a private
//! one that dies with the test.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use frontdesk_core::db::migrations::Owner;
use frontdesk_core::db::products::{self, ProductInput, ProductRow};
use frontdesk_core::db::system::Registered;
use frontdesk_core::db::{Db, DbError, PoolSettings, TxKind};
use frontdesk_core::jobs::{RegisterShop, RequestKey};
use frontdesk_core::money::Money;
use frontdesk_core::tenancy::ShopScope;
use tokio_postgres::{Client, NoTls};

const CLUSTER: &str = "FRONTDESK_TEST_POSTGRES";
const OWNER: &str = "frontdesk_test_owner";
const APP: &str = "frontdesk_test_app";
const INGRESS: &str = "frontdesk_test_ingress";
/// Known to everybody who can read this: clusters of tests listen on this machine alone.
const PASSWORD: &str = "test-only";
const TEMPLATE_LOCK: i64 = 7_701;

/// A cluster started by this test.
struct Server {
    child: Child,
    dir: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The child may be a wrapper that has become another user's process: the postmaster's own id is in its file.
        if let Some(pid) =
            std::fs::read_to_string(self.dir.join("data/postmaster.pid")).ok().and_then(|text| text.lines().next().map(str::to_owned))
        {
            run("kill", &["-QUIT", &pid]);
        }
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[expect(clippy::disallowed_methods, reason = "tests start a server of their own")]
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

fn run(program: &str, arguments: &[&str]) -> bool {
    command(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn binary(name: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    let root = command("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    if !root {
        return command(program);
    }
    let mut wrapped = command("setpriv");
    wrapped.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    wrapped
}

impl Server {
    fn start() -> (Self, String) {
        let dir = std::env::temp_dir().join(format!("frontdesk-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        run("chown", &["postgres", &dir.to_string_lossy()]);
        let data = dir.join("data");
        let made = as_postgres(&binary("initdb"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/")
            .stdout(Stdio::null())
            .status()
            .expect("initdb: is PostgreSQL installed?");
        assert!(made.success(), "initdb failed");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = as_postgres(&binary("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=400", "-c"])
            .arg(format!("unix_socket_directories={}", dir.display()))
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        (Self { child, dir }, format!("postgres://postgres@127.0.0.1:{port}/postgres"))
    }
}

/// A database, and the ways into it. Gone when dropped.
pub(crate) struct TestDb {
    superuser: String,
    name: String,
    server: Option<Server>,
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if self.server.is_some() {
            return;
        }
        let (superuser, name) = (self.superuser.clone(), self.name.clone());
        // A runtime of its own: the test's may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let _ = connect(&superuser).await.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        let _ = dropping.join();
    }
}

/// Connects, waiting for a server that has just been started.
async fn connect(url: &str) -> Client {
    let begun = Instant::now();
    loop {
        match tokio_postgres::connect(url, NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return client;
            }
            Err(error) if begun.elapsed() > Duration::from_secs(30) => panic!("no Postgres: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn with(superuser: &str, user: &str, database: &str) -> String {
    let mut url = url::Url::parse(superuser).unwrap();
    url.set_username(user).unwrap();
    url.set_password(Some(PASSWORD)).unwrap();
    url.set_path(database);
    url.to_string()
}

/// What the template is made from: another schema is another template.
fn fingerprint() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut hasher = DefaultHasher::new();
    let mut migrations: Vec<PathBuf> =
        std::fs::read_dir(root.join("../migrations")).unwrap().map(|entry| entry.unwrap().path().join("up.sql")).collect();
    migrations.sort();
    for file in migrations.iter().chain(&[root.join("src/db/roles.rs"), root.join("src/db/system.rs")]) {
        std::fs::read_to_string(file).unwrap_or_default().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

async fn migrate(superuser: &str, database: &str) {
    let url = |user| with(superuser, user, database).into();
    Owner::connect(&url(OWNER), &url(APP), &url(INGRESS)).await.unwrap().up().await.unwrap();
}

impl TestDb {
    /// A migrated database. Needs a runtime with more than one thread.
    pub(crate) async fn new() -> Self {
        let db = Self::cluster();
        let admin = connect(&db.superuser).await;
        admin.execute("SELECT pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).await.unwrap();
        let template = format!("frontdesk_core_{}", fingerprint());
        let stands = admin.query_opt("SELECT FROM pg_database WHERE datname = $1", &[&template]).await.unwrap().is_some();
        if !stands {
            let making = format!("{template}_making");
            Self::make(&admin, &making).await;
            migrate(&db.superuser, &making).await;
            admin.batch_execute(&format!("ALTER DATABASE {making} WITH ALLOW_CONNECTIONS false")).await.unwrap();
            wait_until_unused(&admin, &making).await;
            admin.batch_execute(&format!("ALTER DATABASE {making} RENAME TO {template}")).await.unwrap();
        }
        admin.execute("SELECT pg_advisory_unlock($1)", &[&TEMPLATE_LOCK]).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {} TEMPLATE {template} OWNER {OWNER}", db.name)).await.unwrap();
        db
    }

    /// A database with nothing in it, for tests of migrations.
    pub(crate) async fn empty() -> Self {
        let db = Self::cluster();
        let admin = connect(&db.superuser).await;
        admin.execute("SELECT pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).await.unwrap();
        Self::make(&admin, &db.name).await;
        admin.execute("SELECT pg_advisory_unlock($1)", &[&TEMPLATE_LOCK]).await.unwrap();
        db
    }

    fn cluster() -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        #[expect(clippy::disallowed_methods, reason = "tests are told where their cluster is")]
        match std::env::var(CLUSTER) {
            Ok(superuser) if !superuser.is_empty() => Self { superuser, name, server: None },
            _ => {
                let (server, superuser) = Server::start();
                Self { superuser, name, server: Some(server) }
            }
        }
    }

    async fn make(admin: &Client, database: &str) {
        let stands = admin.query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&OWNER]).await.unwrap().is_some();
        if !stands {
            admin.batch_execute(&format!("CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{PASSWORD}'")).await.unwrap();
        }
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0 OWNER {OWNER}")).await.unwrap();
    }

    /// As the app's role.
    pub(crate) fn app_url(&self) -> String {
        with(&self.superuser, APP, &self.name)
    }

    /// As the ingress's role.
    pub(crate) fn ingress_url(&self) -> String {
        with(&self.superuser, INGRESS, &self.name)
    }

    /// As the owner.
    pub(crate) fn owner_url(&self) -> String {
        with(&self.superuser, OWNER, &self.name)
    }

    /// As a superuser, to see what is really there.
    pub(crate) fn superuser_url(&self) -> String {
        let mut url = url::Url::parse(&self.superuser).unwrap();
        url.set_path(&self.name);
        url.to_string()
    }

    /// Plain SQL at one of the URLs.
    pub(crate) async fn raw(&self, url: &str) -> Client {
        connect(url).await
    }

    /// The app's pool.
    pub(crate) async fn app(&self, size: usize) -> Db {
        let settings = PoolSettings { size, wait: Duration::from_secs(20) };
        Db::connect(&self.app_url().into(), settings).await.unwrap()
    }

    /// The ingress's pool.
    pub(crate) async fn ingress(&self) -> Db {
        Db::connect(&self.ingress_url().into(), PoolSettings::INGRESS).await.unwrap()
    }
}

async fn wait_until_unused(admin: &Client, database: &str) {
    let begun = Instant::now();
    while admin.query_one("SELECT count(*) FROM pg_stat_activity WHERE datname = $1", &[&database]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the template is still in use");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An instant, RFC 3339.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// An amount.
pub(crate) fn money(text: &str) -> Money {
    Money::new(text.parse().unwrap()).unwrap()
}

/// A registration of the shop `name`.
pub(crate) fn registration(name: &str) -> RegisterShop {
    RegisterShop {
        request: RequestKey { key: format!("register:{name}"), fingerprint: "f".to_owned(), user: None },
        shop_name: name.to_owned(),
        kind: "product".to_owned(),
        email: format!("owner@{name}.example"),
        password_hash: "$2b$hash".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
        currency: "EUR".to_owned(),
        locale: "en".to_owned(),
    }
}

/// A shop.
pub(crate) async fn shop(db: &Db, name: &str) -> Registered {
    db.register_shop(&registration(name), 14, at("2026-03-01T08:00:00Z")).await.unwrap()
}

/// A product of it.
pub(crate) async fn product(db: &Db, scope: &ShopScope, name: &str, price: &str, cost: &str, stock: i32) -> ProductRow {
    let input = ProductInput {
        name: name.to_owned(),
        description: String::new(),
        sku: None,
        price: money(price),
        cost: money(cost),
        stock,
        image_url: None,
        low_stock_at: None,
    };
    db.shop_tx(scope, TxKind::Command, async move |mut tx| products::insert(&mut tx, &input).await).await.unwrap()
}

/// Its stock now.
pub(crate) async fn stock_of(db: &Db, scope: &ShopScope, product: &ProductRow) -> i32 {
    let id = product.id;
    db.shop_tx(scope, TxKind::Read, async move |mut tx| Ok::<_, DbError>(products::find(&mut tx, id).await?.unwrap().stock)).await.unwrap()
}
