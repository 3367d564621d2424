//! Dates and times in words, as a shop's customers say them.

use chrono::{DateTime, Locale, NaiveDate, Utc};
use chrono_tz::Tz;
use frontdesk_core::language::Language;

/// How a day and a time are written, by language.
struct Style {
    locale: Locale,
    day: &'static str,
    day_and_time: &'static str,
    place: &'static str,
}

/// In the order of [`Language::ALL`].
const STYLES: [Style; 8] = [
    Style { locale: Locale::en_GB, day: "%A, %-d %B %Y", day_and_time: "{day}, {time}", place: "{city} time" },
    Style { locale: Locale::de_DE, day: "%A, %-d. %B %Y", day_and_time: "{day}, {time} Uhr", place: "Zeit in {city}" },
    Style { locale: Locale::fr_FR, day: "%A %-d %B %Y", day_and_time: "{day} à {time}", place: "heure de {city}" },
    Style { locale: Locale::es_ES, day: "%A, %-d de %B de %Y", day_and_time: "{day}, {time}", place: "hora de {city}" },
    Style { locale: Locale::it_IT, day: "%A %-d %B %Y", day_and_time: "{day}, {time}", place: "ora di {city}" },
    Style { locale: Locale::pt_PT, day: "%A, %-d de %B de %Y", day_and_time: "{day}, {time}", place: "hora de {city}" },
    Style { locale: Locale::nl_NL, day: "%A %-d %B %Y", day_and_time: "{day}, {time}", place: "tijd in {city}" },
    Style { locale: Locale::tr_TR, day: "%-d %B %Y %A", day_and_time: "{day}, {time}", place: "{city} saati" },
];

/// English as it is written in America.
const AMERICAN: Style = Style { locale: Locale::en_US, day: "%A, %B %-d, %Y", day_and_time: "{day}, {time}", place: "{city} time" };

fn style(zone: Tz, language: Language) -> &'static Style {
    if is_american(zone, language) { &AMERICAN } else { &STYLES[language.index()] }
}

/// Whoever writes English in America reads "5:00 PM"; everybody else reads "17:00".
fn is_american(zone: Tz, language: Language) -> bool {
    language == Language::English && (zone.name().starts_with("America/") || zone.name().starts_with("US/"))
}

/// The day: "Friday, 27 March 2026".
#[must_use]
pub fn day(day: NaiveDate, zone: Tz, language: Language) -> String {
    let style = style(zone, language);
    day.format_localized(style.day, style.locale).to_string()
}

/// The time on the shop's clock: "17:00".
#[must_use]
pub fn time(at: DateTime<Utc>, zone: Tz, language: Language) -> String {
    at.with_timezone(&zone).format(if is_american(zone, language) { "%-I:%M %p" } else { "%H:%M" }).to_string()
}

/// Both: "Friday, 27 March 2026, 17:00".
#[must_use]
pub fn spoken(at: DateTime<Utc>, zone: Tz, language: Language) -> String {
    let day = day(at.with_timezone(&zone).date_naive(), zone, language);
    style(zone, language).day_and_time.replace("{day}", &day).replace("{time}", &time(at, zone, language))
}

/// Whose clock that is: "Berlin time".
#[must_use]
pub fn place(zone: Tz, language: Language) -> String {
    let city = zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ");
    style(zone, language).place.replace("{city}", &city)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_as_people_say_it() {
        let at: DateTime<Utc> = "2026-03-27T16:00:00Z".parse().unwrap();
        let berlin = Tz::Europe__Berlin;
        assert_eq!(spoken(at, berlin, Language::English), "Friday, 27 March 2026, 17:00");
        assert_eq!(spoken(at, berlin, Language::German), "Freitag, 27. März 2026, 17:00 Uhr");
        assert_eq!(spoken(at, berlin, Language::French), "vendredi 27 mars 2026 à 17:00");
        assert_eq!(spoken(at, berlin, Language::Spanish), "viernes, 27 de marzo de 2026, 17:00");
        assert_eq!(spoken(at, Tz::America__New_York, Language::English), "Friday, March 27, 2026, 12:00 PM");
        assert_eq!(place(Tz::America__New_York, Language::English), "New York time");
    }

    #[test]
    fn every_language_names_day_month_and_time() {
        let at: DateTime<Utc> = "2026-12-01T08:30:00Z".parse().unwrap();
        for language in Language::ALL {
            let said = spoken(at, Tz::Europe__Istanbul, language);
            assert!(said.contains("2026") && said.contains("11:30") && said.chars().filter(|c| c.is_alphabetic()).count() > 8, "{said}");
        }
    }
}
