//! A database of a test's own, copied from a template that is migrated and seeded once per cluster.

use anyhow::Context;
use frontdesk_core::db::migrations::Owner;
use secrecy::SecretString;
use tokio_postgres::{Client, NoTls};
use url::Url;

/// Where `./dev test` says its throw-away cluster is: a superuser's URL.
const CLUSTER: &str = "FRONTDESK_TEST_POSTGRES";
const PASSWORD: &str = "system-tests";

/// A migrated, seeded database with its three roles; dropped with the cluster.
#[derive(Debug, Clone)]
pub struct Database {
    superuser: Url,
    name: String,
}

impl Database {
    /// Copies the template, which the first caller makes.
    pub async fn create() -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "says where the test cluster is, not how Frontdesk is set up")]
        let url = std::env::var(CLUSTER).with_context(|| format!("{CLUSTER} is not set; run the tests by ./dev test"))?;
        let superuser: Url = url.parse()?;
        // A new build may bring new migrations or sample data: its template has another name.
        let template = format!("frontdesk_template_{}", env!("FRONTDESK_TEMPLATE"));
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let admin = connect(&superuser).await?;
        admin.execute("SELECT pg_advisory_lock(7741001)", &[]).await?;
        let made = make_template(&admin, &superuser, &template).await;
        let copied = match made {
            Ok(()) => {
                admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template} OWNER frontdesk_owner")).await.map_err(Into::into)
            }
            Err(error) => Err(error),
        };
        admin.execute("SELECT pg_advisory_unlock(7741001)", &[]).await?;
        copied?;
        Ok(Self { superuser, name })
    }

    fn url(&self, role: &str) -> String {
        role_url(&self.superuser, role, &self.name)
    }

    /// As the application's role.
    pub fn app_url(&self) -> String {
        self.url("frontdesk_app")
    }

    /// As the ingress's role.
    pub fn ingress_url(&self) -> String {
        self.url("frontdesk_ingress")
    }

    /// As a superuser: for what a test looks at, or breaks.
    pub async fn look(&self) -> anyhow::Result<Client> {
        let mut url = self.superuser.clone();
        url.set_path(&self.name);
        connect(&url).await
    }
}

async fn make_template(admin: &Client, superuser: &Url, template: &str) -> anyhow::Result<()> {
    if admin.query_opt("SELECT FROM pg_database WHERE datname = $1 AND datistemplate", &[&template]).await?.is_some() {
        return Ok(());
    }
    admin
        .batch_execute(&format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'frontdesk_owner') THEN \
             CREATE ROLE frontdesk_owner LOGIN CREATEROLE PASSWORD '{PASSWORD}'; END IF; END $$"
        ))
        .await?;
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {template}")).await?;
    admin.batch_execute(&format!("CREATE DATABASE {template} OWNER frontdesk_owner")).await?;
    let url = |role: &str| SecretString::from(role_url(superuser, role, template));
    Owner::connect(&url("frontdesk_owner"), &url("frontdesk_app"), &url("frontdesk_ingress")).await?.up().await?;
    crate::seed(&url("frontdesk_app")).await?;
    admin.batch_execute(&format!("ALTER DATABASE {template} IS_TEMPLATE true")).await?;
    Ok(())
}

fn role_url(superuser: &Url, role: &str, database: &str) -> String {
    let mut url = superuser.clone();
    // A URL with a host takes a user and a password.
    let _ = url.set_username(role);
    let _ = url.set_password(Some(PASSWORD));
    url.set_path(database);
    url.into()
}

async fn connect(url: &Url) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await.context("the test cluster does not answer")?;
    tokio::spawn(connection);
    Ok(client)
}
