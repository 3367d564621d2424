//! The Lua scripts of the queue, each behind the part they share.

use std::sync::LazyLock;

use redis::Script;

use crate::jobs::JobName;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("scripts/lib.lua"), "\n", include_str!($file)))
        });)*
    };
}

scripts! {
    PUSH = "scripts/push.lua";
    FETCH = "scripts/fetch.lua";
    SETTLE = "scripts/settle.lua";
    BEAT = "scripts/beat.lua";
    LEAVE = "scripts/leave.lua";
    RECONCILE = "scripts/reconcile.lua";
    REDRIVE = "scripts/redrive.lua";
    DISCARD = "scripts/discard.lua";
    SWEEP = "scripts/sweep.lua";
    STATS = "scripts/stats.lua";
    FIRE = "scripts/fire.lua";
    ACCEPT = "../mailbox/accept.lua";
    RECORD = "../mailbox/record.lua";
    TAKE = "../mailbox/take.lua";
    ACKNOWLEDGE = "../mailbox/acknowledge.lua";
    PARK = "../mailbox/park.lua";
    SWEEP_BOXES = "../mailbox/sweep.lua";
}

/// The prefix of a queue's keys; the braces keep a queue in one slot of a cluster.
pub(crate) fn prefix(queue: JobName) -> String {
    format!("fd:{{{queue}}}:")
}

/// Whether a queue serves each group one job at a time: events of one channel are recorded in the order of arrival.
pub(crate) const fn serial(queue: JobName) -> &'static str {
    match queue {
        JobName::RecordEvents => "1",
        _ => "0",
    }
}

/// A call of a script on a queue: the prefix and the kind are set.
pub(crate) fn on(script: &'static Script, queue: JobName) -> redis::ScriptInvocation<'static> {
    let mut call = script.prepare_invoke();
    call.key(prefix(queue)).arg(serial(queue));
    call
}
