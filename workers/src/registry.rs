//! Which handler runs which job: an exhaustive match, so that a job without a handler does not compile.

use std::sync::Arc;

use frontdesk_core::config::WorkerConfig;
use frontdesk_core::jobs::{
    AddVariants, AdjustStock, AnswerAsHuman, AnswerCustomer, ArchiveProduct, ArchiveService, ArchiveSessions, ArchiveStaff, ChangeClosure,
    ChangeColleague, ChangeConversation, ChangeOrder, ChangePassword, ChangePlan, CheckChannel, CheckFigures, ConfirmEmail, ConnectGoogle,
    CreateCheckout, DeactivateExpired, DeliverMessage, DisconnectGoogle, DropOldLogs, DropOldMedia, EraseCustomer, EraseTraces,
    ExportSheet, FetchMedia, FindSlots, HandleStripeEvent, ImportProducts, InviteColleague, JobName, NotifyStaff, OpenPortal,
    PauseConversation, PlaceOrder, PullCalendar, RecordEvents, RegisterShop, RemindCustomer, RemindRenewals, RemoveChannel, RemoveMedia,
    ResetPassword, RestoreProduct, ResumeConversation, SaveAppointment, SaveChannel, SaveIntegration, SaveProduct, SaveService, SaveShop,
    SaveStaff, SendLink, SetProductImage, SweepQueues, SyncAppointment, TryAgent, WatchChannels,
};
use tokio_util::sync::CancellationToken;

use crate::App;
use crate::runner::Workers;

/// Runs the jobs that the settings name until `shutdown`, then drains.
///
/// # Errors
/// When a worker cannot be started.
pub async fn run(app: Arc<App>, config: &WorkerConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut workers = Workers::new(app.queue.clone(), app.clone(), config.concurrency.clone());
    for job in &config.jobs {
        workers = match job {
            JobName::AnswerCustomer => workers.run::<AnswerCustomer>(),
            JobName::RecordEvents => workers.run::<RecordEvents>(),
            JobName::RegisterShop => workers.run::<RegisterShop>(),
            JobName::SendLink => workers.run::<SendLink>(),
            JobName::ResetPassword => workers.run::<ResetPassword>(),
            JobName::ConfirmEmail => workers.run::<ConfirmEmail>(),
            JobName::ChangePassword => workers.run::<ChangePassword>(),
            JobName::InviteColleague => workers.run::<InviteColleague>(),
            JobName::ChangeColleague => workers.run::<ChangeColleague>(),
            JobName::SaveShop => workers.run::<SaveShop>(),
            JobName::TryAgent => workers.run::<TryAgent>(),
            JobName::SaveChannel => workers.run::<SaveChannel>(),
            JobName::CheckChannel => workers.run::<CheckChannel>(),
            JobName::WatchChannels => workers.run::<WatchChannels>(),
            JobName::RemoveChannel => workers.run::<RemoveChannel>(),
            JobName::SaveProduct => workers.run::<SaveProduct>(),
            JobName::AddVariants => workers.run::<AddVariants>(),
            JobName::ImportProducts => workers.run::<ImportProducts>(),
            JobName::AdjustStock => workers.run::<AdjustStock>(),
            JobName::ArchiveProduct => workers.run::<ArchiveProduct>(),
            JobName::RestoreProduct => workers.run::<RestoreProduct>(),
            JobName::PlaceOrder => workers.run::<PlaceOrder>(),
            JobName::ChangeOrder => workers.run::<ChangeOrder>(),
            JobName::SaveService => workers.run::<SaveService>(),
            JobName::ArchiveService => workers.run::<ArchiveService>(),
            JobName::SaveStaff => workers.run::<SaveStaff>(),
            JobName::ArchiveStaff => workers.run::<ArchiveStaff>(),
            JobName::ChangeClosure => workers.run::<ChangeClosure>(),
            JobName::FindSlots => workers.run::<FindSlots>(),
            JobName::SaveAppointment => workers.run::<SaveAppointment>(),
            JobName::ConnectGoogle => workers.run::<ConnectGoogle>(),
            JobName::SaveIntegration => workers.run::<SaveIntegration>(),
            JobName::DisconnectGoogle => workers.run::<DisconnectGoogle>(),
            JobName::SyncAppointment => workers.run::<SyncAppointment>(),
            JobName::PullCalendar => workers.run::<PullCalendar>(),
            JobName::RemindCustomer => workers.run::<RemindCustomer>(),
            JobName::ExportSheet => workers.run::<ExportSheet>(),
            JobName::CreateCheckout => workers.run::<CreateCheckout>(),
            JobName::OpenPortal => workers.run::<OpenPortal>(),
            JobName::ChangePlan => workers.run::<ChangePlan>(),
            JobName::HandleStripeEvent => workers.run::<HandleStripeEvent>(),
            JobName::RemindRenewals => workers.run::<RemindRenewals>(),
            JobName::DeactivateExpired => workers.run::<DeactivateExpired>(),
            JobName::PauseConversation => workers.run::<PauseConversation>(),
            JobName::ResumeConversation => workers.run::<ResumeConversation>(),
            JobName::ChangeConversation => workers.run::<ChangeConversation>(),
            JobName::AnswerAsHuman => workers.run::<AnswerAsHuman>(),
            JobName::DeliverMessage => workers.run::<DeliverMessage>(),
            JobName::FetchMedia => workers.run::<FetchMedia>(),
            JobName::RemoveMedia => workers.run::<RemoveMedia>(),
            JobName::DropOldMedia => workers.run::<DropOldMedia>(),
            JobName::SetProductImage => workers.run::<SetProductImage>(),
            JobName::EraseCustomer => workers.run::<EraseCustomer>(),
            JobName::EraseTraces => workers.run::<EraseTraces>(),
            JobName::NotifyStaff => workers.run::<NotifyStaff>(),
            JobName::ArchiveSessions => workers.run::<ArchiveSessions>(),
            JobName::SweepQueues => workers.run::<SweepQueues>(),
            JobName::CheckFigures => workers.run::<CheckFigures>(),
            JobName::DropOldLogs => workers.run::<DropOldLogs>(),
        };
    }
    workers.until(shutdown).await
}
