//! Mails somebody the link by which they set a password or confirm their address. An address that nobody has gets none, and nobody learns of it. A repeat
//! mails again: either link works, and only one of them.

use frontdesk_core::auth::{Link, LinkPurpose};
use frontdesk_core::db::system::LoginWho;
use frontdesk_core::jobs::SendLink;
use secrecy::ExposeSecret as _;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SendLink {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let Some(login) = app.db.find_login(&self.email).await?.filter(|login| login.active) else { return Ok(()) };
        // Administrators' passwords are set where the installation is.
        let LoginWho::User { user, .. } = login.who else { return Ok(()) };
        let standing = if self.purpose.sets_password() { &login.password_hash } else { &self.email };
        let link = Link::new(user, self.purpose, standing, app.clock.now()).seal(&app.sealer);
        let link = link.map_err(|error| JobError::fail(&error.to_string()))?;
        let page = if self.purpose.sets_password() { "password" } else { "confirm" };
        // After the `#`: it reaches no server's log, and no other site by the Referer header.
        let address = format!("{}/{page}#{}", app.settings.public_url, link.expose_secret());
        let (subject, text) = words(self.purpose, self.shop_name.as_deref(), &address);
        match &app.email {
            Some(email) => email.send(&self.email, &subject, &text, &format!("link.{}", cx.envelope.job)).await?,
            None => tracing::warn!("no SMTP_URL: nobody is mailed a link"),
        }
        Ok(())
    }
}

fn words(purpose: LinkPurpose, shop_name: Option<&str>, address: &str) -> (String, String) {
    match purpose {
        LinkPurpose::ConfirmEmail => (
            "Confirm your address".to_owned(),
            format!(
                "Welcome to Frontdesk. Confirm within a week that this address is yours:\n\n{address}\n\nIf you opened no shop, ignore this mail.\n"
            ),
        ),
        LinkPurpose::JoinTeam => (
            format!("Join {} on Frontdesk", shop_name.unwrap_or("the team")),
            format!("You have been invited. Choose a password within a week to join:\n\n{address}\n"),
        ),
        LinkPurpose::ResetPassword => (
            "Set a new password".to_owned(),
            format!(
                "Somebody asked for a new password for this address. If it was you, choose one within an hour:\n\n{address}\n\n\
                 If it was not you, nothing has changed, and there is nothing to do.\n"
            ),
        ),
    }
}
