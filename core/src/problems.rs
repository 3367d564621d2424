//! Every code that an error of the API may carry: one table, listed at `/docs` and in `docs/PROBLEMS.md`.

/// A kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// Stable, for programs.
    pub code: &'static str,
    /// The HTTP status that it comes with.
    pub status: u16,
    /// What it means, and what helps.
    pub about: &'static str,
}

const fn problem(code: &'static str, status: u16, about: &'static str) -> Problem {
    Problem { code, status, about }
}

/// All of them, by status.
pub const PROBLEMS: &[Problem] = &[
    problem("malformed", 400, "The request cannot be read; `detail` says where it breaks off."),
    problem(
        "bad_signature",
        401,
        "A webhook's signature does not fit its body. Check the secret, and that nothing on the way changes the body.",
    ),
    problem("unauthorized", 401, "Nobody is logged in, or the session has ended. Log in again."),
    problem("wrong_login", 401, "The e-mail or the password is wrong. Which of them is not told."),
    problem("plan_analytics", 402, "The shop's plan has no analytics; `detail` names the plans that do."),
    problem("plan_platforms", 402, "The shop's plan allows no more platforms; `detail` names the plan that would."),
    problem("plan_team", 402, "The shop's plan has no team; `detail` names the plan that has."),
    problem("cross_site", 403, "A browser was sent here by another site. Use the dashboard, or a Bearer token."),
    problem("forbidden", 403, "The role does not allow it. Ask the owner of the shop."),
    problem("https_required", 403, "The call came over plain http. Call the https address, and change what was sent in the clear."),
    problem("not_your_note", 403, "Only who wrote a note may delete it."),
    problem("wrong_verify_token", 403, "Meta's verification brought another token than `META_VERIFY_TOKEN`."),
    problem("not_found", 404, "There is no such thing in this shop. What belongs to another shop reads the same."),
    problem("method_not_allowed", 405, "The path knows other methods; `Allow` lists them."),
    problem("too_slow", 408, "The body did not arrive in time. Send it again."),
    problem("appointment_state", 409, "The appointment cannot go from its present state to that one."),
    problem(
        "changed_meanwhile",
        409,
        "Somebody has changed it since it was read. Read it again, and make the change in what stands there now.",
    ),
    problem("channel_disconnected", 409, "The channel is not connected. Connect it again with a new token."),
    problem("channel_taken", 409, "Another shop has connected this account."),
    problem("closed", 409, "Nobody works at this time. Choose one of `slots`, or book it with `anyway`."),
    problem("currency_in_use", 409, "There are orders in the present currency, so it stays."),
    problem("email_taken", 409, "There is an account with this e-mail. One e-mail is one user of one shop."),
    problem("google_code_used", 409, "Google takes this permission no more: it was used, or is too old. Connect again."),
    problem("google_disconnected", 409, "Google takes the account's permission no more. Connect it again."),
    problem(
        "google_not_configured",
        409,
        "This installation has no access to Google. Its operator sets `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET`.",
    ),
    problem("google_not_connected", 409, "No Google account is connected. Connect one first: `GET /integrations/google/connect`."),
    problem(
        "google_not_lasting",
        409,
        "Google gave no lasting permission. Remove Frontdesk under myaccount.google.com/permissions, and connect again.",
    ),
    problem("google_scope_missing", 409, "Not everything was allowed that this needs. Connect again, and leave every box ticked."),
    problem("idempotency_key_reused", 409, "This `Idempotency-Key` was used for another request. Use a fresh one."),
    problem("last_owner", 409, "A shop keeps an owner. Make somebody else an owner first."),
    problem("model_budget", 409, "The day's budget for models is used up. Try again tomorrow, or raise it in the settings."),
    problem("name_taken", 409, "Another one of the shop has this name. Choose another."),
    problem("no_model", 409, "No model answered in time. Try again in a moment."),
    problem("order_state", 409, "The order cannot go from its present status to that one."),
    problem("out_of_stock", 409, "There is not enough of a product; `detail` says how much is left."),
    problem("payment_declined", 409, "The card was declined, and nothing was changed. Change the card: `POST /subscriptions/portal`."),
    problem(
        "payment_due",
        409,
        "An invoice is not paid. Pay it first: `owed_url` of `GET /subscriptions/status`, or `POST /subscriptions/portal`.",
    ),
    problem("sku_taken", 409, "Another product of the shop has this sku. Choose another, or change that product."),
    problem("slot_taken", 409, "Somebody else has this time, or a part of it. `slots` names what is free next."),
    problem("staff_booked", 409, "There are appointments with this person or room; `detail` says how many. Move or cancel them first."),
    problem("stock_out_of_range", 409, "The change would leave less than nothing, or more than can be counted."),
    problem(
        "stripe_not_configured",
        409,
        "This installation has no access to Stripe. Its operator sets `STRIPE_SECRET_KEY` and the prices.",
    ),
    problem("stripe_refused", 409, "Stripe refused it; `detail` says how. Its operator finds the reason in Stripe's dashboard."),
    problem("subscription_absent", 409, "There is no subscription. Begin one: `POST /subscriptions/create-checkout`."),
    problem("subscription_live", 409, "There is a subscription already. Change its plan: `POST /subscriptions/change`."),
    problem("too_far_ahead", 409, "The service cannot be booked that far ahead yet."),
    problem("too_late", 409, "It is too late for a customer to change this appointment; staff may."),
    problem("too_many_rows", 409, "These are more rows than a spreadsheet is good for. Choose a shorter period, or CSV."),
    problem("too_soon", 409, "The service must be booked further ahead. `slots` names what is free next."),
    problem("variant_taken", 409, "Another variant of the product has these options."),
    problem("window_closed", 409, "The platform's answering window has closed. Send a template, or wait until the customer writes."),
    problem("too_large", 413, "The body is larger than this path takes; `detail` says how large it may be."),
    problem("not_a_picture", 415, "Send a PNG, JPEG or WebP picture, as what it is: `image/png`, `image/jpeg` or `image/webp`."),
    problem("not_csv", 415, "Send the file as `text/csv`."),
    problem("not_json", 415, "Send the body as `application/json`."),
    problem("bad_rows", 422, "Rows of the file are wrong; `fields` names each by row and column. Nothing was changed."),
    problem("invalid", 422, "Some fields or parameters are wrong; `fields` names each and says how to mend it."),
    problem("upgrade_required", 426, "Connect to this path as a WebSocket (RFC 6455)."),
    problem("rate_limited", 429, "The shop has asked more than its share of this minute; `Retry-After` says when to go on."),
    problem("too_many", 429, "Too many attempts; `Retry-After` says when to try again."),
    problem("internal", 500, "Something went wrong on our side. It has been recorded, under the answer's `X-Trace-Id`."),
    problem("job_failed", 500, "The change could not be made, though it was tried several times. It has been recorded."),
    problem(
        "calendar_unreachable",
        503,
        "A calendar that must be asked does not answer. No time is offered unchecked; try again in a moment.",
    ),
    problem("overloaded", 503, "Too many requests at once. Try again after `Retry-After`."),
    problem("still_opening", 503, "The shop is still being opened. Log in in a moment."),
    problem(
        "unavailable",
        503,
        "A part of the service is away. Try again after `Retry-After`; under the same `Idempotency-Key`, a write is made once.",
    ),
];

/// The kind of error with this code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Problem> {
    PROBLEMS.iter().find(|problem| problem.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_there_once_by_status_and_name() {
        let order = |problem: &Problem| (problem.status, problem.code);
        assert!(PROBLEMS.is_sorted_by(|one, next| order(one) < order(next)));
        assert_eq!(find("out_of_stock").map(|problem| problem.status), Some(409));
        assert_eq!(find("nothing_of_the_kind"), None);
    }
}
