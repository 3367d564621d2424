//! The fixed texts, in every language.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::agent::guard::{Allowed, check};

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn lines() -> Vec<SummaryLine<'static>> {
    vec![
        SummaryLine { quantity: 2, name: "Red Sneaker 42", price: d("59.90"), amount: d("119.80") },
        SummaryLine { quantity: 1, name: "Belt", price: d("19"), amount: d("19") },
    ]
}

#[test]
fn the_summary_shows_lines_total_and_question() {
    let text = render(&Text::OrderSummary { lines: &lines(), total: d("138.80"), currency: "EUR" }, Language::English);
    let shown = "Here is your order:\n\n2 × Red Sneaker 42 — €59.90 each = €119.80\n1 × Belt — €19.00 each = €19.00\nTotal: €138.80\n\nShall I place this order?";
    assert_eq!(text, shown);
}

#[test]
fn the_texts_the_contract_words_are_worded_so() {
    let say = |text| render(&text, Language::English);
    assert_eq!(say(Text::Inactive), "Your AI assistant is currently inactive. Please renew your subscription.");
    assert_eq!(say(Text::Handoff), "A human agent will contact you shortly.");
    assert_eq!(say(Text::Holding), "One moment please, I'm checking that for you.");
}

#[test]
fn button_titles_fit_the_platforms() {
    for language in Language::ALL {
        let (yes, no) = (render(&Text::ConfirmButton, language), render(&Text::DeclineButton, language));
        assert!(yes.chars().count() <= 20 && no.chars().count() <= 20 && yes != no);
    }
}

#[test]
fn no_text_keeps_a_place_to_fill_and_none_is_empty() {
    let products = [("Red Sneaker".to_owned(), d("59.90"))];
    let lines = lines();
    for language in Language::ALL {
        let kinds = ["image", "audio", "sticker", "location", "video", "contacts"].map(|k| Text::CannotRead(Unreadable::from_kind(k)));
        let states = ["pending", "confirmed", "fulfilled", "cancelled", "refunded"].map(|state| Text::OrderStatus { order_no: 7, state });
        let mut texts = vec![
            Text::OrderSummary { lines: &lines, total: d("138.80"), currency: "EUR" },
            Text::OrderPlaced { order_no: 7, lines: &lines, total: d("138.80"), currency: "EUR" },
            Text::OutOfStock { name: "Belt", left: 3 },
            Text::OutOfStock { name: "Belt", left: 0 },
            Text::ProposalDeclined,
            Text::ProposalGone,
            Text::PricesChanged,
            Text::ConfirmAgain,
            Text::CancelQuestion { order_no: 7 },
            Text::OrderCancelled { order_no: 7 },
            Text::AppointmentMoved { service: "Cut", at: "2026-11-28 15:00" },
            Text::AppointmentCancelled { service: "Cut", at: "2026-11-28 15:00" },
            Text::CancelImpossible { order_no: 7 },
            Text::Holding,
            Text::Inactive,
            Text::Quota,
            Text::Handoff,
            Text::LoopStopped,
            Text::Fallback { products: &products, currency: "EUR" },
            Text::Fallback { products: &[], currency: "EUR" },
        ];
        texts.extend(kinds);
        texts.extend(states);
        let allowed: Allowed = [d("59.90"), d("119.80"), d("19"), d("138.80")].into_iter().collect();
        for text in texts {
            let said = render(&text, language);
            assert!(!said.trim().is_empty() && !said.contains(['{', '}']), "{said}");
            assert_eq!(check(&said, &allowed, "EUR"), Ok(()), "the guard refuses what code says: {said}");
        }
    }
}

#[test]
fn the_order_number_and_what_is_left_are_in_the_text_in_every_language() {
    for language in Language::ALL {
        assert!(render(&Text::CancelQuestion { order_no: 1042 }, language).contains("#1042"));
        assert!(render(&Text::OutOfStock { name: "Belt", left: 3 }, language).contains('3'));
        assert!(!render(&Text::OutOfStock { name: "Belt", left: 0 }, language).contains('0'));
    }
}

proptest! {
    #[test]
    fn a_hostile_name_stays_on_its_line(name in "\\PC{0,200}|[\\n\\r\\t a{}]{0,40}") {
        let line = [SummaryLine { quantity: 1, name: &name, price: d("1"), amount: d("1") }];
        let text = render(&Text::OrderSummary { lines: &line, total: d("1"), currency: "EUR" }, Language::English);
        prop_assert_eq!(text.lines().count(), 6);
    }
}
