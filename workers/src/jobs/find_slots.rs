//! Looks for free slots, in calendars elsewhere too, if the shop has connected any. It changes nothing.

use frontdesk_core::availability::{Interval, MOST_DAYS, Slot, local};
use frontdesk_core::db::appointments::{self, Offer};
use frontdesk_core::db::{DbError, TxKind, shops};
use frontdesk_core::jobs::{Answer, FindSlots};
use serde_json::{Value, json};

use super::invalid;
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for FindSlots {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope, now) = (&cx.app, cx.scope()?, cx.app.clock.now());
        let Self { service, staff, from, days, most } = self;
        let days = days.min(MOST_DAYS);
        let zone = app.db.shop_tx(&scope, TxKind::Read, async move |mut tx| Ok::<_, DbError>(shops::booking(&mut tx).await?.zone)).await?;
        let from = from.unwrap_or_else(|| now.with_timezone(&zone).date_naive());
        let (begins, ends) = local::days(zone, from, u64::from(days) + 2);
        let within = Interval { from: begins, to: ends };
        let elsewhere = match app.elsewhere(&scope, within).await {
            Ok(elsewhere) => elsewhere,
            Err(refusal) => return Ok(refusal),
        };
        // Ours is read after theirs: what is booked meanwhile is in it.
        let read = async move |mut tx| appointments::offer(&mut tx, service, staff, within, None).await.map_err(|error: DbError| error);
        let Some(mut offer) = app.db.shop_tx(&scope, TxKind::Read, read).await?.filter(|offer| offer.service.active) else {
            return Ok(invalid("service", "There is no such service on offer. See GET /services."));
        };
        if staff.is_some() && offer.staff.is_empty() {
            return Ok(invalid("staff", "Nobody like this performs this service. See GET /staff."));
        }
        let checked = json!({"at": now, "elsewhere": elsewhere.checked});
        offer.add_busy(&elsewhere.busy);
        let items = by_time(&offer, &offer.slots(from, days, now, most));
        Ok(Answer::Done(json!({"items": items, "timezone": zone.name(), "checked": checked})))
    }
}

/// Slots that begin at the same time are one, with all who are free then.
fn by_time(offer: &Offer, slots: &[Slot]) -> Vec<Value> {
    slots
        .chunk_by(|one, next| one.starts_at == next.starts_at)
        .filter_map(|same| {
            let staff: Vec<Value> = same.iter().map(|slot| json!({"id": slot.staff, "name": offer.name(slot.staff)})).collect();
            same.first().map(|slot| json!({"starts_at": slot.starts_at, "ends_at": slot.ends_at, "staff": staff}))
        })
        .collect()
}
