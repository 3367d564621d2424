//! Takes somebody out of the staff, if no appointments are ahead of them. Archiving twice changes nothing.

use frontdesk_core::db::audit;
use frontdesk_core::db::staff::{self, SaveError};
use frontdesk_core::jobs::{Answer, ArchiveStaff, RefusalKind};
use serde_json::json;

use super::{Wrote, actor, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ArchiveStaff {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (id, by, now) = (self.staff, actor(&self.request), cx.app.clock.now());
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                match staff::archive(tx, id, now).await {
                    Ok(()) => {}
                    Err(SaveError::Booked { appointments }) => {
                        let detail = format!("Appointments are ahead of them: {appointments}. Move or cancel those first.");
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "staff_booked", &detail)));
                    }
                    Err(SaveError::NotFound | SaveError::NameTaken) => return Ok(Wrote::answer(not_found())),
                    Err(SaveError::Db(error)) => return Err(error),
                }
                audit::add(tx, &by, "archive", &format!("staff:{id}"), &json!({})).await?;
                Ok(Wrote::answer(Answer::Empty).event("service", json!({"staff_id": id, "archived": true})))
            })
        })
        .await
    }
}
