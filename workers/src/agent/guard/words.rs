//! Reads numbers written as words in eight languages, compounds and hyphens included.

use rust_decimal::Decimal;

/// One building block of a number word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Add(u32),
    Hundred,
    Scale(u32),
    And,
}

/// A language's building blocks and habits.
struct Lexicon {
    parts: &'static [(&'static str, Part)],
    /// Units are said before the tens: neunundfünfzig.
    units_first: bool,
    /// Sixty and ten: soixante-dix, quatre-vingts.
    by_twenties: bool,
    /// A block that may only stand inside one written word.
    inner_and: &'static str,
}

use Part::{Add, And, Hundred, Scale};

const ENGLISH: &[(&str, Part)] = &[
    ("zero", Add(0)),
    ("one", Add(1)),
    ("two", Add(2)),
    ("three", Add(3)),
    ("four", Add(4)),
    ("five", Add(5)),
    ("six", Add(6)),
    ("seven", Add(7)),
    ("eight", Add(8)),
    ("nine", Add(9)),
    ("ten", Add(10)),
    ("eleven", Add(11)),
    ("twelve", Add(12)),
    ("thirteen", Add(13)),
    ("fourteen", Add(14)),
    ("fifteen", Add(15)),
    ("sixteen", Add(16)),
    ("seventeen", Add(17)),
    ("eighteen", Add(18)),
    ("nineteen", Add(19)),
    ("twenty", Add(20)),
    ("thirty", Add(30)),
    ("forty", Add(40)),
    ("fourty", Add(40)),
    ("fifty", Add(50)),
    ("sixty", Add(60)),
    ("seventy", Add(70)),
    ("eighty", Add(80)),
    ("ninety", Add(90)),
    ("hundred", Hundred),
    ("thousand", Scale(1000)),
    ("million", Scale(1_000_000)),
    ("and", And),
];
const GERMAN: &[(&str, Part)] = &[
    ("null", Add(0)),
    ("ein", Add(1)),
    ("eins", Add(1)),
    ("eine", Add(1)),
    ("einen", Add(1)),
    ("einem", Add(1)),
    ("zwei", Add(2)),
    ("zwo", Add(2)),
    ("drei", Add(3)),
    ("vier", Add(4)),
    ("funf", Add(5)),
    ("fuenf", Add(5)),
    ("sechs", Add(6)),
    ("sieben", Add(7)),
    ("acht", Add(8)),
    ("neun", Add(9)),
    ("zehn", Add(10)),
    ("elf", Add(11)),
    ("zwolf", Add(12)),
    ("zwoelf", Add(12)),
    ("dreizehn", Add(13)),
    ("vierzehn", Add(14)),
    ("funfzehn", Add(15)),
    ("fuenfzehn", Add(15)),
    ("sechzehn", Add(16)),
    ("siebzehn", Add(17)),
    ("achtzehn", Add(18)),
    ("neunzehn", Add(19)),
    ("zwanzig", Add(20)),
    ("dreissig", Add(30)),
    ("dreizig", Add(30)),
    ("vierzig", Add(40)),
    ("funfzig", Add(50)),
    ("fuenfzig", Add(50)),
    ("sechzig", Add(60)),
    ("siebzig", Add(70)),
    ("achtzig", Add(80)),
    ("neunzig", Add(90)),
    ("hundert", Hundred),
    ("tausend", Scale(1000)),
    ("million", Scale(1_000_000)),
    ("millionen", Scale(1_000_000)),
    ("und", And),
];
const DUTCH: &[(&str, Part)] = &[
    ("nul", Add(0)),
    ("een", Add(1)),
    ("twee", Add(2)),
    ("drie", Add(3)),
    ("vier", Add(4)),
    ("vijf", Add(5)),
    ("zes", Add(6)),
    ("zeven", Add(7)),
    ("acht", Add(8)),
    ("negen", Add(9)),
    ("tien", Add(10)),
    ("elf", Add(11)),
    ("twaalf", Add(12)),
    ("dertien", Add(13)),
    ("veertien", Add(14)),
    ("vijftien", Add(15)),
    ("zestien", Add(16)),
    ("zeventien", Add(17)),
    ("achttien", Add(18)),
    ("negentien", Add(19)),
    ("twintig", Add(20)),
    ("dertig", Add(30)),
    ("veertig", Add(40)),
    ("vijftig", Add(50)),
    ("zestig", Add(60)),
    ("zeventig", Add(70)),
    ("tachtig", Add(80)),
    ("negentig", Add(90)),
    ("honderd", Hundred),
    ("duizend", Scale(1000)),
    ("en", And),
];
const FRENCH: &[(&str, Part)] = &[
    ("zero", Add(0)),
    ("un", Add(1)),
    ("une", Add(1)),
    ("deux", Add(2)),
    ("trois", Add(3)),
    ("quatre", Add(4)),
    ("cinq", Add(5)),
    ("six", Add(6)),
    ("sept", Add(7)),
    ("huit", Add(8)),
    ("neuf", Add(9)),
    ("dix", Add(10)),
    ("onze", Add(11)),
    ("douze", Add(12)),
    ("treize", Add(13)),
    ("quatorze", Add(14)),
    ("quinze", Add(15)),
    ("seize", Add(16)),
    ("vingt", Add(20)),
    ("vingts", Add(20)),
    ("trente", Add(30)),
    ("quarante", Add(40)),
    ("cinquante", Add(50)),
    ("soixante", Add(60)),
    ("septante", Add(70)),
    ("huitante", Add(80)),
    ("octante", Add(80)),
    ("nonante", Add(90)),
    ("cent", Hundred),
    ("cents", Hundred),
    ("mille", Scale(1000)),
    ("et", And),
];
const SPANISH: &[(&str, Part)] = &[
    ("cero", Add(0)),
    ("un", Add(1)),
    ("uno", Add(1)),
    ("una", Add(1)),
    ("dos", Add(2)),
    ("tres", Add(3)),
    ("cuatro", Add(4)),
    ("cinco", Add(5)),
    ("seis", Add(6)),
    ("siete", Add(7)),
    ("ocho", Add(8)),
    ("nueve", Add(9)),
    ("diez", Add(10)),
    ("dieci", Add(10)),
    ("once", Add(11)),
    ("doce", Add(12)),
    ("trece", Add(13)),
    ("catorce", Add(14)),
    ("quince", Add(15)),
    ("dieciseis", Add(16)),
    ("diecisiete", Add(17)),
    ("dieciocho", Add(18)),
    ("diecinueve", Add(19)),
    ("veinte", Add(20)),
    ("veinti", Add(20)),
    ("treinta", Add(30)),
    ("treintai", Add(30)),
    ("cuarenta", Add(40)),
    ("cincuenta", Add(50)),
    ("sesenta", Add(60)),
    ("setenta", Add(70)),
    ("ochenta", Add(80)),
    ("noventa", Add(90)),
    ("cien", Hundred),
    ("ciento", Hundred),
    ("cientos", Hundred),
    ("cientas", Hundred),
    ("quinientos", Add(500)),
    ("setecientos", Add(700)),
    ("novecientos", Add(900)),
    ("mil", Scale(1000)),
    ("y", And),
];
const ITALIAN: &[(&str, Part)] = &[
    ("zero", Add(0)),
    ("un", Add(1)),
    ("uno", Add(1)),
    ("una", Add(1)),
    ("due", Add(2)),
    ("tre", Add(3)),
    ("quattro", Add(4)),
    ("cinque", Add(5)),
    ("sei", Add(6)),
    ("sette", Add(7)),
    ("otto", Add(8)),
    ("nove", Add(9)),
    ("dieci", Add(10)),
    ("undici", Add(11)),
    ("dodici", Add(12)),
    ("tredici", Add(13)),
    ("quattordici", Add(14)),
    ("quindici", Add(15)),
    ("sedici", Add(16)),
    ("diciassette", Add(17)),
    ("diciotto", Add(18)),
    ("diciannove", Add(19)),
    ("venti", Add(20)),
    ("vent", Add(20)),
    ("trenta", Add(30)),
    ("trent", Add(30)),
    ("quaranta", Add(40)),
    ("quarant", Add(40)),
    ("cinquanta", Add(50)),
    ("cinquant", Add(50)),
    ("sessanta", Add(60)),
    ("sessant", Add(60)),
    ("settanta", Add(70)),
    ("settant", Add(70)),
    ("ottanta", Add(80)),
    ("ottant", Add(80)),
    ("novanta", Add(90)),
    ("novant", Add(90)),
    ("cento", Hundred),
    ("cent", Hundred),
    ("mille", Scale(1000)),
    ("mila", Scale(1000)),
    ("e", And),
];
const PORTUGUESE: &[(&str, Part)] = &[
    ("zero", Add(0)),
    ("um", Add(1)),
    ("uma", Add(1)),
    ("dois", Add(2)),
    ("duas", Add(2)),
    ("tres", Add(3)),
    ("quatro", Add(4)),
    ("cinco", Add(5)),
    ("seis", Add(6)),
    ("sete", Add(7)),
    ("oito", Add(8)),
    ("nove", Add(9)),
    ("dez", Add(10)),
    ("onze", Add(11)),
    ("doze", Add(12)),
    ("treze", Add(13)),
    ("catorze", Add(14)),
    ("quatorze", Add(14)),
    ("quinze", Add(15)),
    ("dezesseis", Add(16)),
    ("dezasseis", Add(16)),
    ("dezessete", Add(17)),
    ("dezassete", Add(17)),
    ("dezoito", Add(18)),
    ("dezenove", Add(19)),
    ("dezanove", Add(19)),
    ("vinte", Add(20)),
    ("trinta", Add(30)),
    ("quarenta", Add(40)),
    ("cinquenta", Add(50)),
    ("cinqenta", Add(50)),
    ("sessenta", Add(60)),
    ("setenta", Add(70)),
    ("oitenta", Add(80)),
    ("noventa", Add(90)),
    ("cem", Hundred),
    ("cento", Hundred),
    ("duzentos", Add(200)),
    ("duzentas", Add(200)),
    ("trezentos", Add(300)),
    ("trezentas", Add(300)),
    ("quatrocentos", Add(400)),
    ("quinhentos", Add(500)),
    ("seiscentos", Add(600)),
    ("setecentos", Add(700)),
    ("oitocentos", Add(800)),
    ("novecentos", Add(900)),
    ("mil", Scale(1000)),
    ("e", And),
];
const TURKISH: &[(&str, Part)] = &[
    ("sifir", Add(0)),
    ("bir", Add(1)),
    ("iki", Add(2)),
    ("uc", Add(3)),
    ("dort", Add(4)),
    ("bes", Add(5)),
    ("alti", Add(6)),
    ("yedi", Add(7)),
    ("sekiz", Add(8)),
    ("dokuz", Add(9)),
    ("on", Add(10)),
    ("yirmi", Add(20)),
    ("otuz", Add(30)),
    ("kirk", Add(40)),
    ("elli", Add(50)),
    ("altmis", Add(60)),
    ("yetmis", Add(70)),
    ("seksen", Add(80)),
    ("doksan", Add(90)),
    ("yuz", Hundred),
    ("bin", Scale(1000)),
];
/// Ten by ten and the plain units: enough to notice a price that is written out.
const OTHERS: &[(&str, Part)] = &[
    ("десять", Add(10)),
    ("двадцать", Add(20)),
    ("тридцать", Add(30)),
    ("сорок", Add(40)),
    ("пятьдесят", Add(50)),
    ("шестьдесят", Add(60)),
    ("семьдесят", Add(70)),
    ("восемьдесят", Add(80)),
    ("девяносто", Add(90)),
    ("сто", Hundred),
    ("тысяча", Scale(1000)),
    ("тысячи", Scale(1000)),
    ("один", Add(1)),
    ("два", Add(2)),
    ("три", Add(3)),
    ("четыре", Add(4)),
    ("пять", Add(5)),
    ("шесть", Add(6)),
    ("семь", Add(7)),
    ("восемь", Add(8)),
    ("девять", Add(9)),
    ("dwadziescia", Add(20)),
    ("trzydziesci", Add(30)),
    ("czterdziesci", Add(40)),
    ("piecdziesiat", Add(50)),
    ("szescdziesiat", Add(60)),
    ("siedemdziesiat", Add(70)),
    ("osiemdziesiat", Add(80)),
    ("dziewiecdziesiat", Add(90)),
    ("dziesiec", Add(10)),
    ("jeden", Add(1)),
    ("dwa", Add(2)),
    ("trzy", Add(3)),
    ("cztery", Add(4)),
    ("piec", Add(5)),
    ("szesc", Add(6)),
    ("siedem", Add(7)),
    ("osiem", Add(8)),
    ("dziewiec", Add(9)),
    ("tysiac", Scale(1000)),
    ("عشرة", Add(10)),
    ("عشرون", Add(20)),
    ("عشرين", Add(20)),
    ("ثلاثون", Add(30)),
    ("ثلاثين", Add(30)),
    ("أربعون", Add(40)),
    ("أربعين", Add(40)),
    ("خمسون", Add(50)),
    ("خمسين", Add(50)),
    ("ستون", Add(60)),
    ("ستين", Add(60)),
    ("سبعون", Add(70)),
    ("سبعين", Add(70)),
    ("ثمانون", Add(80)),
    ("ثمانين", Add(80)),
    ("تسعون", Add(90)),
    ("تسعين", Add(90)),
    ("مئة", Hundred),
    ("مائة", Hundred),
    ("ألف", Scale(1000)),
    ("مئتان", Add(200)),
    ("مئتين", Add(200)),
    ("مائتان", Add(200)),
    ("مائتين", Add(200)),
    ("ثلاثمئة", Add(300)),
    ("ثلاثمائة", Add(300)),
    ("أربعمئة", Add(400)),
    ("خمسمئة", Add(500)),
    ("خمسمائة", Add(500)),
    ("یک", Add(1)),
    ("دو", Add(2)),
    ("سه", Add(3)),
    ("چهار", Add(4)),
    ("پنج", Add(5)),
    ("شش", Add(6)),
    ("هفت", Add(7)),
    ("هشت", Add(8)),
    ("ده", Add(10)),
    ("بیست", Add(20)),
    ("سی", Add(30)),
    ("چهل", Add(40)),
    ("پنجاه", Add(50)),
    ("شصت", Add(60)),
    ("هفتاد", Add(70)),
    ("هشتاد", Add(80)),
    ("نود", Add(90)),
    ("صد", Hundred),
    ("هزار", Scale(1000)),
    ("میلیون", Scale(1_000_000)),
    ("दस", Add(10)),
    ("बीस", Add(20)),
    ("तीस", Add(30)),
    ("चालीस", Add(40)),
    ("पचास", Add(50)),
    ("पचपन", Add(55)),
    ("साठ", Add(60)),
    ("सत्तर", Add(70)),
    ("अस्सी", Add(80)),
    ("नब्बे", Add(90)),
    ("सौ", Hundred),
    ("हज़ार", Scale(1000)),
    ("हजार", Scale(1000)),
    ("एक", Add(1)),
    ("दो", Add(2)),
    ("तीन", Add(3)),
    ("चार", Add(4)),
    ("पांच", Add(5)),
    ("पाँच", Add(5)),
    ("उनसठ", Add(59)),
    ("उनचास", Add(49)),
];

const fn lexicon(parts: &'static [(&'static str, Part)]) -> Lexicon {
    Lexicon { parts, units_first: false, by_twenties: false, inner_and: "" }
}

const LEXICONS: &[Lexicon] = &[
    lexicon(ENGLISH),
    Lexicon { units_first: true, inner_and: "und", ..lexicon(GERMAN) },
    Lexicon { units_first: true, inner_and: "en", ..lexicon(DUTCH) },
    Lexicon { by_twenties: true, ..lexicon(FRENCH) },
    Lexicon { inner_and: "y", ..lexicon(SPANISH) },
    lexicon(ITALIAN),
    lexicon(PORTUGUESE),
    lexicon(TURKISH),
    lexicon(OTHERS),
];

/// Number words that mostly mean something else, at least in a neighbour language.
pub(super) fn is_everyday(word: &str) -> bool {
    matches!(
        word,
        "one"
            | "a"
            | "ein"
            | "eine"
            | "einen"
            | "einem"
            | "eins"
            | "een"
            | "un"
            | "une"
            | "uno"
            | "una"
            | "um"
            | "uma"
            | "bir"
            | "on"
            | "bin"
            | "dort"
            | "sei"
            | "due"
            | "once"
            | "elf"
            | "dos"
            | "onze"
            | "six"
            | "sept"
            | "neuf"
            | "nove"
            | "sette"
            | "alti"
            | "yuz"
            | "kirk"
            | "cent"
            | "cents"
            | "mil"
            | "mille"
            | "tres"
            | "tre"
            | "acht"
            | "null"
            | "vier"
            | "drie"
            | "bes"
            | "cem"
            | "dez"
            | "दो"
            | "एक"
            | "सौ"
            | "دو"
            | "سه"
            | "ده"
            | "سی"
            | "یک"
            | "نود"
            | "два"
            | "три"
            | "dwa"
    )
}

/// A number found in a row of words: how many words it took and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) words: usize,
    pub(super) values: Vec<Decimal>,
}

/// Reads the longest number that begins with the first of these folded words (words of one row,
/// with only spaces or hyphens between them).
pub(super) fn read(words: &[&str]) -> Option<Spoken> {
    let mut best: Option<Spoken> = None;
    for lexicon in LEXICONS {
        let Some((taken, value)) = lexicon.read(words) else { continue };
        let value = Decimal::from(value);
        match &mut best {
            Some(b) if b.words > taken => {}
            Some(b) if b.words == taken => b.values.push(value),
            _ => best = Some(Spoken { words: taken, values: vec![value] }),
        }
    }
    best
}

impl Lexicon {
    fn read(&self, words: &[&str]) -> Option<(usize, u32)> {
        let mut state = State::default();
        let mut taken = 0;
        let mut at = 0;
        while let Some(word) = words.get(at).filter(|_| at < 16) {
            let Some(parts) = self.split(word) else { break };
            let mut next = state;
            if !parts.iter().all(|p| next.take(*p, self)) {
                break;
            }
            at += 1;
            state = next;
            if !state.open {
                taken = at;
            }
        }
        (taken > 0).then(|| (taken, state.value()))
    }

    /// Splits one written word wholly into building blocks.
    fn split(&self, word: &str) -> Option<Vec<Part>> {
        if word.len() > 60 {
            return None;
        }
        if let Some((_, part)) = self.parts.iter().find(|(w, _)| *w == word) {
            return Some(vec![*part]);
        }
        let mut steps = 0;
        let mut parts = Vec::new();
        (word.chars().count() > 4 && self.split_rest(word, &mut parts, &mut steps)).then_some(parts)
    }

    fn split_rest(&self, rest: &str, parts: &mut Vec<Part>, steps: &mut usize) -> bool {
        *steps += 1;
        if rest.is_empty() {
            return true;
        }
        if *steps > 400 || parts.len() > 10 {
            return false;
        }
        // Longest block first: "dreizehn" before "drei".
        let mut fits: Vec<_> = self.parts.iter().filter(|(w, _)| rest.starts_with(w)).collect();
        fits.sort_by_key(|(w, _)| std::cmp::Reverse(w.len()));
        for (w, part) in fits {
            if *part == And && (*w != self.inner_and || parts.is_empty()) {
                continue;
            }
            parts.push(*part);
            if self.split_rest(&rest[w.len()..], parts, steps) {
                return true;
            }
            parts.pop();
        }
        false
    }
}

/// A number being put together.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    thousands: u32,
    hundreds: u32,
    rest: u32,
    any: bool,
    scale: Option<u32>,
    /// An "and" waits for what it joins.
    open: bool,
}

impl State {
    fn value(&self) -> u32 {
        self.thousands.saturating_add(self.hundreds + self.rest)
    }

    fn take(&mut self, part: Part, lexicon: &Lexicon) -> bool {
        let was_open = self.open;
        match part {
            And => {
                if was_open || !self.any {
                    return false;
                }
                self.open = true;
                return true;
            }
            Add(v) if v >= 100 => {
                if self.hundreds != 0 || self.rest != 0 {
                    return false;
                }
                self.hundreds = v;
            }
            Add(v) => {
                let tens_then_unit = self.rest >= 20 && self.rest.is_multiple_of(10) && (1..10).contains(&v);
                let sixty_ten = lexicon.by_twenties && matches!(self.rest, 60 | 80) && (10..20).contains(&v);
                let after_ten = self.rest == 10 && (7..10).contains(&v) && lexicon.by_twenties;
                let sixty_seventeen = lexicon.by_twenties && matches!(self.rest, 70 | 90) && (7..10).contains(&v);
                let turkish_ten = self.rest == 10 && (1..10).contains(&v) && std::ptr::eq(lexicon.parts, TURKISH);
                let spanish_ten = self.rest == 10 && (6..10).contains(&v) && std::ptr::eq(lexicon.parts, SPANISH);
                let unit_then_tens = lexicon.units_first && was_open && (1..10).contains(&self.rest) && v >= 20 && v.is_multiple_of(10);
                let nothing_yet = self.rest == 0 && !(self.any && self.value() == 0);
                if lexicon.by_twenties && self.rest == 4 && v == 20 {
                    self.rest = 80;
                } else if nothing_yet
                    || sixty_ten
                    || after_ten
                    || sixty_seventeen
                    || turkish_ten
                    || spanish_ten
                    || unit_then_tens
                    || (tens_then_unit && !lexicon.units_first)
                {
                    self.rest += v;
                } else {
                    return false;
                }
            }
            Hundred => {
                if self.hundreds != 0 || self.rest >= 20 || was_open && self.rest != 0 {
                    return false;
                }
                self.hundreds = self.rest.max(1) * 100;
                self.rest = 0;
            }
            Scale(n) => {
                // Scales fall: two million three thousand.
                if self.scale.is_some_and(|s| s <= n) {
                    return false;
                }
                self.thousands = self.thousands.saturating_add((self.hundreds + self.rest).max(1).saturating_mul(n));
                self.hundreds = 0;
                self.rest = 0;
                self.scale = Some(n);
            }
        }
        self.open = false;
        self.any = true;
        true
    }
}

const CJK: &[(char, u64)] = &[
    ('零', 0),
    ('〇', 0),
    ('一', 1),
    ('二', 2),
    ('两', 2),
    ('兩', 2),
    ('三', 3),
    ('四', 4),
    ('五', 5),
    ('六', 6),
    ('七', 7),
    ('八', 8),
    ('九', 9),
    ('十', 10),
    ('百', 100),
    ('千', 1_000),
    ('万', 10_000),
    ('萬', 10_000),
];

/// Reads Chinese numerals from the start of the text: the bytes they take and their value.
pub(super) fn read_cjk(text: &str) -> Option<(usize, Decimal)> {
    let (mut len, mut total, mut group, mut digit) = (0, 0_u64, 0_u64, 0_u64);
    for c in text.chars().take(20) {
        let Some((_, v)) = CJK.iter().find(|(k, _)| *k == c) else { break };
        match v {
            0..=9 => digit = *v,
            10..=1_000 => {
                group += digit.max(1) * v;
                digit = 0;
            }
            _ => {
                total += (group + digit) * v;
                group = 0;
                digit = 0;
            }
        }
        len += c.len_utf8();
    }
    (len > 0).then(|| (len, Decimal::from(total + group + digit)))
}
