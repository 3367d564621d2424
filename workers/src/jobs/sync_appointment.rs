//! Makes the event at Google what the appointment is. Safe to repeat, late and doubly: see [`crate::google::mirror`].

use frontdesk_core::db::appointments::elsewhere;
use frontdesk_core::db::{DbError, TxKind};
use frontdesk_core::jobs::SyncAppointment;

use crate::App;
use crate::google::{Trouble, mirror};
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SyncAppointment {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let (app, scope, id) = (&cx.app, cx.scope()?, self.appointment);
        let written = async {
            let mut account = app.google.open(&scope).await?;
            mirror::write(app, &scope, &mut account, id).await
        };
        let trouble = match written.await {
            Ok(true) => return Ok(()),
            Ok(false) => JobError::retry("google_changing"),
            // Once an account is connected again, the first look at its calendar enqueues what is missing there.
            Err(trouble) if trouble.is_absence() => return Ok(()),
            Err(trouble @ Trouble::Google(_)) => trouble.into(),
            Err(trouble) => return Err(trouble.into()),
        };
        let given_up = cx.is_last_attempt() || matches!(trouble, JobError::Fail { .. });
        if given_up {
            let mark = async move |mut tx| elsewhere::failed(&mut tx, id).await.map_err(|error: DbError| error);
            app.db.shop_tx(&scope, TxKind::Turn, mark).await?;
        }
        Err(trouble)
    }
}
