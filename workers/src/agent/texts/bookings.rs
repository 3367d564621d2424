//! What code says of appointments: free times, proposals, what was booked, and why something was not.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::availability::{NotFree, Slot};
use frontdesk_core::db::appointments::Appointment;
use frontdesk_core::language::Language;
use rust_decimal::Decimal;

use super::dates::{day, place, spoken, time};
use super::table::Row;
use super::{money, one_line};

/// An appointment, ready to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// What for.
    pub service: &'a str,
    /// With whom.
    pub staff: &'a str,
    /// When.
    pub starts_at: DateTime<Utc>,
    /// Its price.
    pub price: Decimal,
    /// ISO 4217.
    pub currency: &'a str,
}

impl<'a> Shown<'a> {
    /// An appointment as it stands.
    #[must_use]
    pub fn of(appointment: &'a Appointment, currency: &'a str) -> Self {
        Self {
            service: &appointment.service_name,
            staff: &appointment.staff_name,
            starts_at: appointment.starts_at,
            price: appointment.price.amount(),
            currency,
        }
    }
}

/// Why nothing was booked, moved or cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The time cannot be booked.
    NotFree(NotFree),
    /// Customers could change it until then.
    TooLate(DateTime<Utc>),
    /// There is no such appointment that stands.
    NoSuchAppointment,
    /// What was asked for is not on offer.
    NotOffered,
}

/// What there is to say of appointments.
#[derive(Debug, Clone, Copy)]
pub enum BookingText<'a> {
    /// Free times, and the question which one.
    FreeTimes {
        /// Of what.
        service: &'a str,
        /// In order; none: nothing is free.
        slots: &'a [Slot],
        /// Whether they are such as were asked for; else they are the next ones.
        as_asked: bool,
    },
    /// Whether to book this.
    BookQuestion(Shown<'a>),
    /// Whether to move an appointment to this time.
    MoveQuestion(Shown<'a>),
    /// Whether to cancel this.
    CancelQuestion(Shown<'a>),
    /// It is booked.
    Booked(Shown<'a>),
    /// It is moved.
    Moved(Shown<'a>),
    /// It is cancelled.
    Cancelled(Shown<'a>),
    /// It was not done; what is free instead.
    Refused {
        /// Why.
        why: Refusal,
        /// What is free next, in order.
        next: &'a [Slot],
    },
    /// The service's price or length has changed since it was shown; a new proposal follows.
    Changed,
    /// The customer did not want it.
    Declined,
    /// A connected calendar cannot be read: no time is known to be free.
    CalendarUnreachable,
}

const FREE: Row = [
    "Free times for {service}:",
    "Freie Termine für {service}:",
    "Créneaux libres pour {service} :",
    "Horas libres para {service}:",
    "Orari liberi per {service}:",
    "Horários livres para {service}:",
    "Vrije tijden voor {service}:",
    "{service} için boş saatler:",
];
const NOT_THEN: Row = [
    "Nothing is free then. The next free times for {service}:",
    "Dann ist leider nichts frei. Die nächsten freien Termine für {service}:",
    "Rien n'est libre à ce moment-là. Les prochains créneaux pour {service} :",
    "No hay nada libre entonces. Las próximas horas libres para {service}:",
    "In quel momento non c'è nulla di libero. I prossimi orari per {service}:",
    "Não há nada livre nessa altura. Os próximos horários para {service}:",
    "Dan is er niets vrij. De eerstvolgende vrije tijden voor {service}:",
    "O zaman için boş yer yok. {service} için sıradaki boş saatler:",
];
const NOTHING: Row = [
    "I'm sorry, nothing is free for {service} around that time. Shall I look at other days?",
    "Für {service} ist in dieser Zeit leider nichts frei. Soll ich an anderen Tagen nachsehen?",
    "Désolé, rien n'est libre pour {service} à cette période. Dois-je regarder d'autres jours ?",
    "Lo siento, no hay nada libre para {service} en esas fechas. ¿Miro otros días?",
    "Mi dispiace, per {service} non c'è nulla di libero in quel periodo. Guardo altri giorni?",
    "Lamento, não há nada livre para {service} nesse período. Vejo outros dias?",
    "Helaas is er in die periode niets vrij voor {service}. Zal ik op andere dagen kijken?",
    "Üzgünüm, o dönemde {service} için boş yer yok. Başka günlere bakayım mı?",
];
const WHICH: Row = [
    "Which one suits you?",
    "Welcher passt Ihnen?",
    "Lequel vous convient ?",
    "¿Cuál te viene bien?",
    "Quale ti va bene?",
    "Qual lhe convém?",
    "Welke past je?",
    "Hangisi size uyar?",
];
pub(super) const WITH: Row =
    ["with {staff}", "bei {staff}", "avec {staff}", "con {staff}", "con {staff}", "com {staff}", "bij {staff}", "{staff} ile"];
const ASK_BOOK: Row = [
    "Shall I book this?",
    "Soll ich das buchen?",
    "Dois-je réserver ?",
    "¿Lo reservo?",
    "Lo prenoto?",
    "Posso marcar?",
    "Zal ik dit boeken?",
    "Randevuyu alayım mı?",
];
const ASK_MOVE: Row = [
    "Shall I move your appointment to this time?",
    "Soll ich Ihren Termin auf diese Zeit verlegen?",
    "Dois-je déplacer votre rendez-vous à ce moment ?",
    "¿Cambio tu cita a esta hora?",
    "Sposto il tuo appuntamento a quest'ora?",
    "Mudo a sua marcação para esta hora?",
    "Zal ik je afspraak naar deze tijd verzetten?",
    "Randevunuzu bu saate alayım mı?",
];
const ASK_CANCEL: Row = [
    "Shall I cancel this appointment?",
    "Soll ich diesen Termin absagen?",
    "Dois-je annuler ce rendez-vous ?",
    "¿Cancelo esta cita?",
    "Annullo questo appuntamento?",
    "Cancelo esta marcação?",
    "Zal ik deze afspraak afzeggen?",
    "Bu randevuyu iptal edeyim mi?",
];
const BOOKED: Row = [
    "Your appointment is booked:",
    "Ihr Termin ist gebucht:",
    "Votre rendez-vous est réservé :",
    "Tu cita está reservada:",
    "Il tuo appuntamento è prenotato:",
    "A sua marcação está feita:",
    "Je afspraak is geboekt:",
    "Randevunuz alındı:",
];
const MOVED: Row = [
    "Your appointment is moved:",
    "Ihr Termin ist verlegt:",
    "Votre rendez-vous est déplacé :",
    "Tu cita ha cambiado:",
    "Il tuo appuntamento è spostato:",
    "A sua marcação foi alterada:",
    "Je afspraak is verzet:",
    "Randevunuz değiştirildi:",
];
const CANCELLED: Row = [
    "This appointment is cancelled:",
    "Dieser Termin ist abgesagt:",
    "Ce rendez-vous est annulé :",
    "Esta cita está cancelada:",
    "Questo appuntamento è annullato:",
    "Esta marcação foi cancelada:",
    "Deze afspraak is afgezegd:",
    "Bu randevu iptal edildi:",
];
const TAKEN: Row = [
    "I'm sorry, that time is not free.",
    "Diese Zeit ist leider nicht frei.",
    "Désolé, ce créneau n'est pas libre.",
    "Lo siento, esa hora no está libre.",
    "Mi dispiace, quell'orario non è libero.",
    "Lamento, essa hora não está livre.",
    "Helaas is die tijd niet vrij.",
    "Üzgünüm, o saat boş değil.",
];
const CLOSED: Row = [
    "I'm sorry, nobody can take you at that time.",
    "Zu dieser Zeit ist leider niemand da.",
    "Désolé, personne ne peut vous recevoir à ce moment-là.",
    "Lo siento, a esa hora no podemos atenderte.",
    "Mi dispiace, a quell'ora non c'è nessuno.",
    "Lamento, a essa hora não podemos atender.",
    "Helaas is er op dat moment niemand.",
    "Üzgünüm, o saatte hizmet veremiyoruz.",
];
const TOO_SOON: Row = [
    "I'm sorry, that is too soon to book here.",
    "So kurzfristig kann ich das leider nicht buchen.",
    "Désolé, c'est trop tôt pour réserver ici.",
    "Lo siento, es demasiado pronto para reservarlo aquí.",
    "Mi dispiace, è troppo presto per prenotarlo qui.",
    "Lamento, é cedo demais para marcar aqui.",
    "Helaas is dat te kort van tevoren om hier te boeken.",
    "Üzgünüm, bu kadar kısa sürede randevu veremiyorum.",
];
const TOO_FAR: Row = [
    "I'm sorry, that is too far ahead to be booked yet.",
    "So weit im Voraus kann ich leider noch nicht buchen.",
    "Désolé, c'est encore trop loin pour réserver.",
    "Lo siento, es demasiado pronto para reservar una fecha tan lejana.",
    "Mi dispiace, quella data è ancora troppo lontana per prenotare.",
    "Lamento, essa data ainda está longe demais para marcar.",
    "Helaas is dat nog te ver vooruit om te boeken.",
    "Üzgünüm, bu tarih randevu için henüz çok uzak.",
];
const TOO_LATE: Row = [
    "This appointment could be changed here until {until}. Please ask for a colleague, they will see what can be done.",
    "Dieser Termin ließ sich hier bis {until} ändern. Fragen Sie bitte nach einem Mitarbeiter, er sieht, was sich machen lässt.",
    "Ce rendez-vous pouvait être modifié ici jusqu'au {until}. Demandez un conseiller, il verra ce qui est possible.",
    "Esta cita se podía cambiar aquí hasta el {until}. Pide hablar con una persona y verá qué se puede hacer.",
    "Questo appuntamento si poteva cambiare qui fino a {until}. Chiedi di un operatore, vedrà cosa si può fare.",
    "Esta marcação podia ser alterada aqui até {until}. Peça para falar com um atendente, que verá o que é possível.",
    "Deze afspraak kon hier tot {until} worden gewijzigd. Vraag naar een medewerker, die kijkt wat er kan.",
    "Bu randevu buradan şu zamana kadar değiştirilebilirdi: {until}. Bir temsilci isteyin, size yardımcı olsun.",
];
const NO_APPOINTMENT: Row = [
    "I find no appointment of yours that could be changed.",
    "Ich finde keinen Termin von Ihnen, der sich ändern ließe.",
    "Je ne trouve aucun rendez-vous à votre nom qui puisse être modifié.",
    "No encuentro ninguna cita tuya que se pueda cambiar.",
    "Non trovo alcun tuo appuntamento che si possa cambiare.",
    "Não encontro nenhuma marcação sua que possa ser alterada.",
    "Ik vind geen afspraak van je die gewijzigd kan worden.",
    "Değiştirilebilecek bir randevunuzu bulamadım.",
];
const NOT_OFFERED: Row = [
    "That is no longer on offer. What else may I book for you?",
    "Das wird nicht mehr angeboten. Was darf ich stattdessen buchen?",
    "Ce n'est plus proposé. Que puis-je réserver d'autre ?",
    "Eso ya no se ofrece. ¿Qué otra cosa te reservo?",
    "Non è più disponibile. Cos'altro posso prenotare?",
    "Já não é oferecido. O que mais posso marcar?",
    "Dat wordt niet meer aangeboden. Wat kan ik anders voor je boeken?",
    "Bu artık sunulmuyor. Başka ne için randevu alayım?",
];
const NEXT: Row = [
    "Free next:",
    "Als Nächstes frei:",
    "Prochains créneaux libres :",
    "Próximas horas libres:",
    "Prossimi orari liberi:",
    "Próximos horários livres:",
    "Eerstvolgende vrije tijden:",
    "Sıradaki boş saatler:",
];
const CHANGED: Row = [
    "Something has changed since I showed you the appointment. Please check it again:",
    "Seit ich Ihnen den Termin gezeigt habe, hat sich etwas geändert. Bitte prüfen Sie ihn noch einmal:",
    "Quelque chose a changé depuis ma proposition de rendez-vous. Merci de vérifier à nouveau :",
    "Algo ha cambiado desde que te mostré la cita. Revísala de nuevo:",
    "Qualcosa è cambiato da quando ti ho mostrato l'appuntamento. Controllalo di nuovo:",
    "Algo mudou desde que mostrei a marcação. Verifique de novo:",
    "Er is iets veranderd sinds ik je de afspraak liet zien. Kijk het nog even na:",
    "Randevuyu gösterdiğimden beri bir şey değişti. Lütfen tekrar kontrol edin:",
];
const DECLINED: Row = [
    "All right, everything stays as it is. Is there anything else I can do for you?",
    "In Ordnung, alles bleibt, wie es ist. Kann ich sonst noch etwas für Sie tun?",
    "Très bien, tout reste comme avant. Puis-je faire autre chose pour vous ?",
    "De acuerdo, todo queda como está. ¿Puedo hacer algo más por ti?",
    "Va bene, tutto resta com'è. Posso fare altro per te?",
    "Tudo bem, fica tudo como está. Posso ajudar em mais alguma coisa?",
    "Goed, alles blijft zoals het is. Kan ik nog iets anders voor je doen?",
    "Tamam, her şey olduğu gibi kalıyor. Başka bir isteğiniz var mı?",
];
const UNREACHABLE: Row = [
    "I can't look into the calendar at the moment, and I don't want to promise you a time that may be taken. Please write again in a little while; I have told my colleagues.",
    "Ich kann gerade nicht in den Kalender sehen und möchte Ihnen keine Zeit versprechen, die vielleicht vergeben ist. Schreiben Sie bitte in Kürze noch einmal; meine Kollegen wissen Bescheid.",
    "Je ne peux pas consulter l'agenda pour le moment, et je ne veux pas vous promettre un créneau déjà pris. Merci de réécrire un peu plus tard ; j'ai prévenu mes collègues.",
    "Ahora mismo no puedo ver la agenda y no quiero prometerte una hora que quizá esté ocupada. Escríbeme de nuevo en un rato; ya he avisado a mis compañeros.",
    "Al momento non posso vedere l'agenda e non voglio prometterti un orario che potrebbe essere occupato. Scrivimi di nuovo tra poco; ho avvisato i colleghi.",
    "De momento não consigo ver a agenda e não quero prometer uma hora que pode estar ocupada. Escreva de novo daqui a pouco; já avisei os colegas.",
    "Ik kan nu niet in de agenda kijken en wil je geen tijd beloven die misschien bezet is. Schrijf straks nog eens; ik heb mijn collega's ingelicht.",
    "Şu anda takvime bakamıyorum ve dolu olabilecek bir saat için söz vermek istemem. Lütfen biraz sonra tekrar yazın; arkadaşlarıma haber verdim.",
];

impl BookingText<'_> {
    /// The text in a language, with times on the shop's clock.
    #[must_use]
    pub fn render(&self, zone: Tz, language: Language) -> String {
        let say = |row: &Row| row[language.index()];
        let of = |row: &Row, service: &str| say(row).replace("{service}", &one_line(service));
        match *self {
            Self::FreeTimes { service, slots: [], .. } => of(&NOTHING, service),
            Self::FreeTimes { service, slots, as_asked } => {
                let head = of(if as_asked { &FREE } else { &NOT_THEN }, service);
                format!("{head}\n{}\n{}\n\n{}", by_day(slots, zone, language), whose_clock(zone, language), say(&WHICH))
            }
            Self::BookQuestion(shown) => format!("{}\n\n{}", appointment(&shown, zone, language), say(&ASK_BOOK)),
            Self::MoveQuestion(shown) => format!("{}\n\n{}", appointment(&shown, zone, language), say(&ASK_MOVE)),
            Self::CancelQuestion(shown) => format!("{}\n\n{}", appointment(&shown, zone, language), say(&ASK_CANCEL)),
            Self::Booked(shown) => format!("{}\n\n{}", say(&BOOKED), appointment(&shown, zone, language)),
            Self::Moved(shown) => format!("{}\n\n{}", say(&MOVED), appointment(&shown, zone, language)),
            Self::Cancelled(shown) => format!("{}\n\n{}", say(&CANCELLED), appointment(&shown, zone, language)),
            Self::Refused { why, next } => refused(why, next, zone, language),
            Self::Changed => say(&CHANGED).to_owned(),
            Self::Declined => say(&DECLINED).to_owned(),
            Self::CalendarUnreachable => say(&UNREACHABLE).to_owned(),
        }
    }
}

fn refused(why: Refusal, next: &[Slot], zone: Tz, language: Language) -> String {
    let say = |row: &Row| row[language.index()];
    let reason = match why {
        Refusal::NotFree(NotFree::Taken) => say(&TAKEN).to_owned(),
        Refusal::NotFree(NotFree::Closed) => say(&CLOSED).to_owned(),
        Refusal::NotFree(NotFree::TooSoon) => say(&TOO_SOON).to_owned(),
        Refusal::NotFree(NotFree::TooFar) => say(&TOO_FAR).to_owned(),
        Refusal::TooLate(until) => say(&TOO_LATE).replace("{until}", &spoken(until, zone, language)),
        Refusal::NoSuchAppointment => say(&NO_APPOINTMENT).to_owned(),
        Refusal::NotOffered => say(&NOT_OFFERED).to_owned(),
    };
    if next.is_empty() {
        return reason;
    }
    let times = by_day(next, zone, language);
    format!("{reason} {}\n{times}\n{}\n\n{}", say(&NEXT), whose_clock(zone, language), say(&WHICH))
}

/// What for, with whom, when, for how much: a line each.
fn appointment(shown: &Shown<'_>, zone: Tz, language: Language) -> String {
    let with = WITH[language.index()].replace("{staff}", &one_line(shown.staff));
    let mut lines = vec![
        format!("{} {with}", one_line(shown.service)),
        format!("{} {}", spoken(shown.starts_at, zone, language), whose_clock(zone, language)),
    ];
    if !shown.price.is_zero() {
        lines.push(money(shown.price, shown.currency, language));
    }
    lines.join("\n")
}

pub(super) fn whose_clock(zone: Tz, language: Language) -> String {
    format!("({})", place(zone, language))
}

/// A line for each day, with its times; a time at which several people are free stands once.
fn by_day(slots: &[Slot], zone: Tz, language: Language) -> String {
    let date = |slot: &Slot| slot.starts_at.with_timezone(&zone).date_naive();
    let lines = slots.chunk_by(|one, next| date(one) == date(next)).filter_map(|same| {
        let mut times: Vec<String> = same.iter().map(|slot| time(slot.starts_at, zone, language)).collect();
        times.dedup();
        let colon = if language == Language::French { "\u{a0}:" } else { ":" };
        same.first().map(|slot| format!("• {}{colon} {}", day(date(slot), zone, language), times.join(", ")))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use frontdesk_core::ids::StaffId;

    use super::*;
    use crate::agent::guard::{Allowed, check};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn slot(starts_at: &str) -> Slot {
        Slot { starts_at: at(starts_at), ends_at: at(starts_at), staff: StaffId(1) }
    }

    #[test]
    fn free_times_stand_by_day_and_each_once() {
        let slots = [slot("2026-03-27T16:00:00Z"), slot("2026-03-27T16:00:00Z"), slot("2026-03-30T15:00:00Z")];
        let text = BookingText::FreeTimes { service: "Haircut", slots: &slots, as_asked: true };
        let shown = "Free times for Haircut:\n• Friday, 27 March 2026: 17:00\n• Monday, 30 March 2026: 17:00\n(Berlin time)\n\nWhich one suits you?";
        assert_eq!(text.render(Tz::Europe__Berlin, Language::English), shown);
    }

    #[test]
    fn an_appointment_is_shown_with_its_date_in_words_and_its_zone() {
        let shown = Shown {
            service: "Haircut",
            staff: "Mia",
            starts_at: at("2026-03-27T16:00:00Z"),
            price: "35.00".parse().unwrap(),
            currency: "EUR",
        };
        let text = BookingText::BookQuestion(shown).render(Tz::Europe__Berlin, Language::English);
        assert_eq!(text, "Haircut with Mia\nFriday, 27 March 2026, 17:00 (Berlin time)\n€35.00\n\nShall I book this?");
    }

    #[test]
    fn no_text_keeps_a_place_to_fill_and_the_guard_lets_all_of_them_pass() {
        let price: Decimal = "35.00".parse().unwrap();
        let shown = Shown { service: "Haircut", staff: "Mia", starts_at: at("2026-03-27T16:00:00Z"), price, currency: "EUR" };
        let slots = [slot("2026-03-27T16:00:00Z"), slot("2026-03-30T15:30:00Z")];
        let mut texts = vec![
            BookingText::FreeTimes { service: "Haircut", slots: &slots, as_asked: true },
            BookingText::FreeTimes { service: "Haircut", slots: &slots, as_asked: false },
            BookingText::FreeTimes { service: "Haircut", slots: &[], as_asked: true },
            BookingText::BookQuestion(shown),
            BookingText::MoveQuestion(shown),
            BookingText::CancelQuestion(shown),
            BookingText::Booked(shown),
            BookingText::Moved(shown),
            BookingText::Cancelled(shown),
            BookingText::Changed,
            BookingText::Declined,
            BookingText::CalendarUnreachable,
        ];
        let free = [NotFree::Taken, NotFree::Closed, NotFree::TooSoon, NotFree::TooFar].map(Refusal::NotFree);
        let others = [Refusal::TooLate(shown.starts_at), Refusal::NoSuchAppointment, Refusal::NotOffered];
        texts.extend(free.into_iter().chain(others).map(|why| BookingText::Refused { why, next: &slots }));
        let mut allowed: Allowed = [price].into_iter().collect();
        // Of time, not of charge.
        allowed.allow_free();
        for language in Language::ALL {
            for text in &texts {
                let said = text.render(Tz::Europe__Berlin, language);
                assert!(!said.trim().is_empty() && !said.contains(['{', '}']), "{said}");
                assert_eq!(check(&said, &allowed, "EUR"), Ok(()), "the guard refuses what code says: {said}");
            }
        }
    }
}
