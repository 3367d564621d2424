//! What code says when an appointment is near, and when a customer says that they come.

use chrono_tz::Tz;
use frontdesk_core::language::Language;

use super::bookings::{Shown, WITH, whose_clock};
use super::dates::{day, spoken, time};
use super::one_line;
use super::table::Row;

/// What there is to say of reminders.
#[derive(Debug, Clone, Copy)]
pub enum ReminderText<'a> {
    /// An appointment is near; whether they come.
    Reminder(Shown<'a>),
    /// They come.
    Confirmed(Shown<'a>),
    /// The button that says so.
    ConfirmButton,
    /// The button that asks to cancel.
    CancelButton,
    /// The button that asks for another time.
    LaterButton,
}

const REMINDER: Row = [
    "This is to remind you of your appointment:",
    "Wir möchten Sie an Ihren Termin erinnern:",
    "Nous vous rappelons votre rendez-vous :",
    "Te recordamos tu cita:",
    "Ti ricordiamo il tuo appuntamento:",
    "Lembramos a sua marcação:",
    "We herinneren je aan je afspraak:",
    "Randevunuzu hatırlatmak isteriz:",
];
const ASK: Row = [
    "Will you be there?",
    "Kommen Sie?",
    "Serez-vous présent ?",
    "¿Vendrás?",
    "Ci sarai?",
    "Vai estar presente?",
    "Kom je?",
    "Gelecek misiniz?",
];
const CONFIRMED: Row = [
    "Thank you, we look forward to seeing you:",
    "Vielen Dank, wir freuen uns auf Sie:",
    "Merci, nous vous attendons :",
    "Gracias, te esperamos:",
    "Grazie, ti aspettiamo:",
    "Obrigado, ficamos à sua espera:",
    "Dank je wel, we zien je graag:",
    "Teşekkürler, sizi bekliyoruz:",
];
const CONFIRM: Row = ["Confirm", "Bestätigen", "Confirmer", "Confirmar", "Conferma", "Confirmar", "Bevestigen", "Onayla"];
const CANCEL: Row = ["Cancel", "Absagen", "Annuler", "Cancelar", "Annulla", "Cancelar", "Afzeggen", "İptal et"];
const LATER: Row =
    ["Another time", "Andere Zeit", "Un autre moment", "Otra hora", "Un altro orario", "Outra hora", "Andere tijd", "Başka saat"];
/// A template's value may not be empty: this stands for a customer whose name nobody knows.
const NAMELESS: Row = [
    "dear customer",
    "liebe Kundin, lieber Kunde",
    "cher client, chère cliente",
    "estimado cliente",
    "gentile cliente",
    "caro cliente",
    "beste klant",
    "değerli müşterimiz",
];

impl ReminderText<'_> {
    /// The text in a language, with times on the shop's clock.
    #[must_use]
    pub fn render(&self, zone: Tz, language: Language) -> String {
        let say = |row: &Row| row[language.index()];
        match self {
            Self::Reminder(shown) => format!("{}\n\n{}\n\n{}", say(&REMINDER), appointment(shown, zone, language), say(&ASK)),
            Self::Confirmed(shown) => format!("{}\n\n{}", say(&CONFIRMED), appointment(shown, zone, language)),
            Self::ConfirmButton => say(&CONFIRM).to_owned(),
            Self::CancelButton => say(&CANCEL).to_owned(),
            Self::LaterButton => say(&LATER).to_owned(),
        }
    }
}

/// What for, with whom, when. What it costs was said when it was booked.
fn appointment(shown: &Shown<'_>, zone: Tz, language: Language) -> String {
    let with = WITH[language.index()].replace("{staff}", &one_line(shown.staff));
    format!("{} {with}\n{} {}", one_line(shown.service), spoken(shown.starts_at, zone, language), whose_clock(zone, language))
}

/// The values of a reminder's template, in order: the customer's name, the service, the date in words, the time.
#[must_use]
pub fn template_values(customer: &str, shown: &Shown<'_>, zone: Tz, language: Language) -> Vec<String> {
    let name = Some(one_line(customer)).filter(|name| !name.is_empty()).unwrap_or_else(|| NAMELESS[language.index()].to_owned());
    let date = day(shown.starts_at.with_timezone(&zone).date_naive(), zone, language);
    vec![name, one_line(shown.service), date, time(shown.starts_at, zone, language)]
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    const BERLIN: Tz = Tz::Europe__Berlin;

    fn shown() -> Shown<'static> {
        let starts_at = "2026-03-27T16:00:00Z".parse().unwrap();
        Shown { service: "Haircut", staff: "Mia", starts_at, price: Decimal::ONE, currency: "EUR" }
    }

    #[test]
    fn a_reminder_says_what_when_and_with_whom() {
        let said = ReminderText::Reminder(shown()).render(BERLIN, Language::English);
        let worded = "This is to remind you of your appointment:\n\nHaircut with Mia\nFriday, 27 March 2026, 17:00 (Berlin time)\n\nWill you be there?";
        assert_eq!(said, worded);
    }

    #[test]
    fn a_templates_values_stand_in_order_and_none_is_empty() {
        let values = template_values("Kim\nSample", &shown(), BERLIN, Language::German);
        assert_eq!(values, ["Kim Sample", "Haircut", "Freitag, 27. März 2026", "17:00"]);
        for language in Language::ALL {
            assert!(template_values(" ", &shown(), BERLIN, language).iter().all(|value| !value.trim().is_empty()));
        }
    }

    #[test]
    fn titles_fit_the_platforms_and_no_text_keeps_a_place_to_fill() {
        for language in Language::ALL {
            let titles =
                [ReminderText::ConfirmButton, ReminderText::CancelButton, ReminderText::LaterButton].map(|t| t.render(BERLIN, language));
            assert!(titles.iter().all(|title| !title.is_empty() && title.chars().count() <= 20), "{titles:?}");
            assert!(titles[0] != titles[1] && titles[1] != titles[2] && titles[0] != titles[2]);
            for text in [ReminderText::Reminder(shown()), ReminderText::Confirmed(shown())] {
                assert!(!text.render(BERLIN, language).contains(['{', '}']));
            }
        }
    }
}
