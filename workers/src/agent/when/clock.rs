//! Reads a time of the clock out of atoms: "17:30", "half past five", "cinq heures moins le quart", "fünf vor halb sechs", "beşi çeyrek geçe".

use super::atoms::Atom;
use super::words::{DUTCH, ENGLISH, GERMAN, PORTUGUESE, SPANISH, Sense, TURKISH, Unit};

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// A time of the clock, as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// Minutes since midnight.
    pub(super) minutes: u32,
    /// The half of the day is certain.
    pub(super) sure: bool,
    /// It is a time by its form; else it may be any number.
    pub(super) plain: bool,
    /// The atom after it.
    pub(super) end: usize,
}

impl Clock {
    fn plus(self, minutes: i32) -> Self {
        let day = i32::try_from(DAY).unwrap_or(i32::MAX);
        let sum = i32::try_from(self.minutes).unwrap_or_default() + minutes;
        Self { minutes: u32::try_from(sum.rem_euclid(day)).unwrap_or_default(), ..self }
    }

    fn half(self, after_noon: bool) -> Self {
        let twelve = self.minutes % (DAY / 2);
        let minutes = match (self.minutes < DAY / 2 + 60, after_noon) {
            (true, true) => twelve + DAY / 2,
            (true, false) => twelve,
            // "17:00 pm".
            (false, _) => self.minutes,
        };
        Self { minutes, sure: true, plain: true, ..self }
    }
}

fn sense(atoms: &[Atom], at: usize) -> Sense {
    atoms.get(at).map_or(Sense::Stop, |atom| atom.sense)
}

/// The time that begins at an atom. With `counting`, "ten to five" is before five, not a span.
pub(super) fn clock(atoms: &[Atom], at: usize, counting: bool) -> Option<Clock> {
    let made = |minutes: u32, sure: bool, plain: bool| Clock { minutes: minutes % DAY, sure, plain, end: at + 1 };
    match sense(atoms, at) {
        Sense::Clock(hour, minute, sure) => Some(tail(atoms, made(hour * 60 + minute, sure, true))),
        Sense::Hours(hour, minute) => Some(made(hour * 60 + minute, false, false)),
        Sense::Pair(hour @ 0..=24, minute @ 0..=59, false) => Some(tail(atoms, made(hour * 60 + minute, hour > 12, false))),
        Sense::Noon => Some(tail(atoms, made(12 * 60, true, true))),
        Sense::Midnight => Some(made(0, true, true)),
        Sense::Fraction(minutes) => fraction(atoms, at + 1, minutes),
        // "A la una".
        Sense::One if atoms[at].language.is_some_and(|language| (SPANISH..=PORTUGUESE).contains(&language)) => {
            Some(hour(atoms, made(60, false, false)))
        }
        Sense::Number(number) | Sense::Dotted(number) => {
            let dotted = matches!(sense(atoms, at), Sense::Dotted(_));
            if let Some(clock) = counted(atoms, at, number, counting) {
                return Some(clock);
            }
            match number {
                0..=24 if dotted => Some(made(number * 60, number > 12, false)),
                0..=24 => Some(hour(atoms, made(number * 60, number == 0 || number > 12, false))),
                // "1730".
                1000..=2359 if number % 100 < 60 && number % 5 == 0 && !(2020..=2035).contains(&number) => {
                    Some(tail(atoms, made(number / 100 * 60 + number % 100, number >= 1300, false)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// "Half past" and the hour after it.
fn fraction(atoms: &[Atom], at: usize, minutes: i32) -> Option<Clock> {
    let (Sense::Number(hour @ 1..=24) | Sense::Dotted(hour @ 1..=24)) = sense(atoms, at) else { return None };
    // "Half zes" before, "half six" after: the word of the hour says more than the word before it.
    let minutes = match (minutes, atoms.get(at).and_then(|atom| atom.language)) {
        (-30, Some(ENGLISH)) => 30,
        (30, Some(DUTCH)) => -30,
        _ => minutes,
    };
    let clock = Clock { minutes: hour % 24 * 60, sure: hour > 12, plain: true, end: at + 1 }.plus(minutes);
    Some(tail(atoms, clock))
}

/// "10 past 5", "fünf vor halb sechs", "tien over vijf".
fn counted(atoms: &[Atom], at: usize, number: u32, counting: bool) -> Option<Clock> {
    if !matches!(number, 5 | 10 | 15 | 20 | 25) {
        return None;
    }
    let sign_at = if matches!(sense(atoms, at + 1), Sense::Unit(Unit::Minutes)) { at + 2 } else { at + 1 };
    let northern = atoms.get(sign_at).and_then(|atom| atom.language).is_some_and(|language| matches!(language, ENGLISH | GERMAN | DUTCH));
    let minutes = i32::try_from(number).ok()?;
    let minutes = match sense(atoms, sign_at) {
        Sense::Over => minutes,
        Sense::After if northern => minutes,
        Sense::Before if northern => -minutes,
        Sense::To if counting => -minutes,
        _ => return None,
    };
    let base = match sense(atoms, sign_at + 1) {
        Sense::Number(hour @ 1..=24) | Sense::Dotted(hour @ 1..=24) => {
            Clock { minutes: hour % 24 * 60, sure: hour > 12, plain: true, end: sign_at + 2 }
        }
        Sense::Fraction(to) => fraction(atoms, sign_at + 2, to)?,
        _ => return None,
    };
    Some(tail(atoms, base.plus(minutes)))
}

/// What follows an hour: "Uhr 30", "heures et demie", "meno un quarto", "y veinte", "i çeyrek geçe".
fn hour(atoms: &[Atom], mut clock: Clock) -> Clock {
    match sense(atoms, clock.end) {
        Sense::OClock => {
            clock.end += 1;
            clock.plain = true;
        }
        Sense::HourWord if !matches!(atoms.get(clock.end), Some(Atom { language: Some(TURKISH), .. })) => {
            clock.end += 1;
            clock.plain = clock.minutes >= 8 * 60 && clock.minutes < 22 * 60;
        }
        _ => {}
    }
    match sense(atoms, clock.end) {
        Sense::Plus(minutes) => {
            clock = Clock { plain: true, end: clock.end + 1, ..clock.plus(minutes) };
        }
        Sense::Minus => {
            if let Sense::Number(minutes @ (5 | 10 | 15 | 20 | 25)) = sense(atoms, clock.end + 1) {
                clock = Clock { plain: true, end: clock.end + 2, ..clock.plus(-i32::try_from(minutes).unwrap_or_default()) };
            }
        }
        // "Cinco y veinte": in words only, since "9 y 10" are two hours.
        Sense::And => {
            let spoken = atoms
                .get(clock.end + 1)
                .is_some_and(|atom| atom.language.is_some_and(|language| (SPANISH..=PORTUGUESE).contains(&language)));
            if let Sense::Number(minutes @ (10 | 20 | 25)) = sense(atoms, clock.end + 1)
                && spoken
                && sense(atoms, clock.end + 2) != Sense::HourWord
            {
                clock = Clock { plain: true, end: clock.end + 2, ..clock.plus(i32::try_from(minutes).unwrap_or_default()) };
            }
        }
        Sense::Number(minutes @ (5 | 10 | 15 | 20 | 30 | 40 | 45 | 50)) => {
            let next = sense(atoms, clock.end + 1);
            match next {
                Sense::MinutesPast => {
                    return Clock { plain: true, end: clock.end + 2, ..clock.plus(i32::try_from(minutes).unwrap_or_default()) };
                }
                Sense::MinutesTo => {
                    return Clock { plain: true, end: clock.end + 2, ..clock.plus(-i32::try_from(minutes).unwrap_or_default()) };
                }
                Sense::Unit(_) | Sense::Counted | Sense::Month(_) | Sense::HourWord | Sense::OClock => {}
                _ if minutes >= 10 && sense(atoms, clock.end - 1) != Sense::HourWord || clock.plain => {
                    clock = Clock { end: clock.end + 1, ..clock.plus(i32::try_from(minutes).unwrap_or_default()) };
                }
                _ => {}
            }
        }
        Sense::Case(_) => {
            if let Sense::Number(minutes @ 1..=29) = sense(atoms, clock.end + 1) {
                let minutes = i32::try_from(minutes).unwrap_or_default();
                match sense(atoms, clock.end + 2) {
                    Sense::MinutesPast => return Clock { plain: true, end: clock.end + 3, ..clock.plus(minutes) },
                    Sense::MinutesTo => return Clock { plain: true, end: clock.end + 3, ..clock.plus(-minutes) },
                    _ => {}
                }
            }
        }
        _ => {}
    }
    tail(atoms, clock)
}

/// "Uhr", "o'clock", "pm" after a time.
fn tail(atoms: &[Atom], mut clock: Clock) -> Clock {
    loop {
        match sense(atoms, clock.end) {
            Sense::OClock => clock.plain = true,
            Sense::HourWord if !matches!(atoms.get(clock.end), Some(Atom { language: Some(TURKISH), .. })) => {}
            Sense::Am => clock = clock.half(false),
            Sense::Pm => clock = clock.half(true),
            _ => return clock,
        }
        clock.end += 1;
    }
}
