//! Named points at which a test makes a worker die, as a power cut would. Debug builds only: in a release build nothing of it is left.

/// Where a turn may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The mailbox is read, nothing is stored.
    AfterTake,
    /// Messages and turn are stored.
    AfterOpen,
    /// The model has answered.
    AfterModel,
    /// Effects and answer stand.
    AfterDecide,
    /// The send is claimed.
    AfterClaim,
    /// Meta has the message, we have not recorded it.
    AfterSend,
    /// It is recorded.
    AfterRecord,
    /// The turn is done, the mail is not acknowledged.
    BeforeAck,
    /// The mail is acknowledged, the job is not.
    AfterAck,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 9] = [
        Self::AfterTake,
        Self::AfterOpen,
        Self::AfterModel,
        Self::AfterDecide,
        Self::AfterClaim,
        Self::AfterSend,
        Self::AfterRecord,
        Self::BeforeAck,
        Self::AfterAck,
    ];

    /// What `FRONTDESK_CRASH_AT` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AfterTake => "after_take",
            Self::AfterOpen => "after_open",
            Self::AfterModel => "after_model",
            Self::AfterDecide => "after_decide",
            Self::AfterClaim => "after_claim",
            Self::AfterSend => "after_send",
            Self::AfterRecord => "after_record",
            Self::BeforeAck => "before_ack",
            Self::AfterAck => "after_ack",
        }
    }
}

/// Dies if this is the point that `FRONTDESK_CRASH_AT` names.
#[cfg(debug_assertions)]
pub(crate) fn at(point: Point) {
    static NAMED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a test's order to die, not a setting; debug builds only")]
    let named = NAMED.get_or_init(|| std::env::var("FRONTDESK_CRASH_AT").ok());
    if named.as_deref() == Some(point.name()) {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn at(_: Point) {}
