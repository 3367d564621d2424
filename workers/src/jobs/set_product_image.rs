//! Makes an uploaded picture a product's; its former one is removed.

use frontdesk_core::db::media::{self, Kept};
use frontdesk_core::db::{audit, products};
use frontdesk_core::jobs::{Answer, SetProductImage};
use frontdesk_core::media::public_key;
use serde_json::json;

use super::{Wrote, actor, invalid, not_found, once};
use crate::App;
use crate::media::remove;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SetProductImage {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let Self { request, product, name, size, sha256 } = self;
        let by = actor(&request);
        let public = &cx.app.settings.public_url;
        // On http://localhost, for trying out, the path alone: pictures elsewhere must be https.
        let url = if public.starts_with("https://") { format!("{public}/media/public/{name}") } else { format!("/media/public/{name}") };
        let shop = cx.scope()?.shop();
        once(cx, request, move |tx| {
            Box::pin(async move {
                // A name of another shop's would give its picture away with the next change.
                let Some((key, mime)) = public_key(&name).filter(|(key, _)| key.starts_with(&format!("shops/{shop}/"))) else {
                    return Ok(Wrote::answer(invalid("image", "is none of this shop's")));
                };
                let kept = Kept { mime_type: Some(mime.to_owned()), size, sha256 };
                let Some(former) = media::set_picture(tx, product, &key, &kept, &url).await? else {
                    let gone = remove(tx, &[key]).await?;
                    return Ok(Wrote { pending: gone, ..Wrote::answer(not_found()) });
                };
                audit::add(tx, &by, "picture", &format!("product:{product}"), &json!({})).await?;
                let Some(row) = products::find(tx, product).await? else { return Ok(Wrote::answer(not_found())) };
                let pending = remove(tx, &former.into_iter().filter(|old| *old != key).collect::<Vec<_>>()).await?;
                Ok(Wrote { pending, ..Wrote::answer(Answer::Done(json!(row))) }
                    .event("stock", json!({"product_id": product, "stock": row.stock})))
            })
        })
        .await
    }
}
