//! Which signs, codes and words name money, and of which currencies.

/// What a sign or word says about the number beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// ISO 4217 codes it may stand for; empty stands for every currency (`cents`).
    pub(super) codes: &'static [&'static str],
    /// A hundredth: cents, pence, kuruş.
    pub(super) minor: bool,
    /// Also an everyday word (pounds, real, livres): money only for a shop of that currency or
    /// where prices are spoken of.
    pub(super) everyday: bool,
    /// May stand before the number.
    pub(super) leads: bool,
}

impl Unit {
    /// Whether an amount with this unit is in the shop's currency.
    pub(super) fn is(&self, shop: &str) -> bool {
        self.codes.is_empty() || self.codes.iter().any(|c| c.eq_ignore_ascii_case(shop))
    }
}

const DOLLARS: &[&str] = &[
    "USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU", "DOP", "BBD", "JMD", "TTD", "BSD", "BZD", "FJD",
    "NAD", "XCD",
];
/// What is called a dollar in words, not only by its sign.
const NAMED_DOLLARS: &[&str] = &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "BBD", "JMD", "TTD", "BSD", "BZD", "FJD", "NAD", "XCD"];
const CROWNS: &[&str] = &["SEK", "NOK", "DKK", "ISK", "CZK"];
const RUPEES: &[&str] = &["INR", "PKR", "LKR", "NPR", "MUR", "SCR"];
const PESOS: &[&str] = &["MXN", "ARS", "COP", "CLP", "PHP", "UYU", "DOP", "CUP"];
const DINARS: &[&str] = &["KWD", "BHD", "JOD", "TND", "IQD", "LYD", "RSD", "DZD"];
const RIALS: &[&str] = &["SAR", "QAR", "OMR", "YER", "IRR"];
const POUNDS: &[&str] = &["GBP", "EGP", "LBP", "SYP"];

/// Currencies with three decimals.
pub(super) fn has_thousandths(code: &str) -> bool {
    ["KWD", "BHD", "JOD", "TND", "IQD", "LYD", "OMR"].iter().any(|c| c.eq_ignore_ascii_case(code))
}

fn major(codes: &'static [&'static str], leads: bool) -> Option<Unit> {
    Some(Unit { codes, minor: false, everyday: false, leads })
}

/// The unit of a currency sign.
pub(super) fn of_sign(c: char) -> Option<Unit> {
    let codes: &'static [&'static str] = match c {
        '€' => &["EUR"],
        '$' | '💲' | '💵' => DOLLARS,
        '💶' => &["EUR"],
        '💷' => POUNDS,
        '💴' | '¥' => &["JPY", "CNY"],
        '£' => POUNDS,
        '₺' => &["TRY"],
        '₹' => RUPEES,
        '₨' => RUPEES,
        '₽' => &["RUB"],
        '₴' => &["UAH"],
        '₩' => &["KRW"],
        '₪' => &["ILS"],
        '₫' => &["VND"],
        '₦' => &["NGN"],
        '₱' => &["PHP"],
        '฿' => &["THB"],
        '₿' => &["BTC"],
        '₡' => &["CRC"],
        '₲' => &["PYG"],
        '₵' => &["GHS"],
        '₸' => &["KZT"],
        '₮' => &["MNT"],
        '₾' => &["GEL"],
        '₼' => &["AZN"],
        '֏' => &["AMD"],
        '৳' => &["BDT"],
        '៛' => &["KHR"],
        '₭' => &["LAK"],
        '¢' => return Some(Unit { codes: &[], minor: true, everyday: false, leads: false }),
        '¤' => &["XXX"],
        _ => return None,
    };
    major(codes, true)
}

/// The currency that letters glued to `$` make it: `US$`, `R$`, `$CA`.
pub(super) fn of_dollar_prefix(word: &str) -> Option<&'static [&'static str]> {
    Some(match word {
        "us" | "usd" => &["USD"],
        "a" | "au" => &["AUD"],
        "c" | "ca" | "can" => &["CAD"],
        "nz" => &["NZD"],
        "hk" => &["HKD"],
        "s" | "sg" => &["SGD"],
        "nt" => &["TWD"],
        "r" => &["BRL"],
        "mx" | "mex" => &["MXN"],
        "ar" => &["ARS"],
        "cl" => &["CLP"],
        "co" => &["COP"],
        _ => return None,
    })
}

/// Codes that are no word of any language we meet: small letters will do.
const CODES: &[&str] = &[
    "EUR", "USD", "GBP", "CHF", "JPY", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "INR", "CNY", "AUD", "NZD", "HKD", "SGD",
    "KRW", "ZAR", "AED", "ILS", "THB", "IDR", "MYR", "PHP", "VND", "UAH", "RUB", "BGN", "ISK", "HRK", "RSD", "EGP", "KWD", "BHD", "QAR",
    "OMR", "JOD", "LBP", "TND", "DZD", "NGN", "KES", "GHS", "PKR", "BDT", "LKR", "NPR", "ARS", "UYU", "PYG", "CRC", "GTQ", "TWD", "KZT",
    "AZN", "IRR", "IQD",
];
/// Codes that are words too: capitals only.
const SHOUTED: &[&str] = &["TRY", "CAD", "RON", "SAR", "MAD", "PEN", "COP", "CLP", "BOB", "GEL", "AMD", "ALL", "CUP", "DOP", "TOP", "BAM"];

/// Whether a folded word ends a Latin-script amount word with the given stem (plural, case ending).
fn stem(word: &str, stem: &str, longest_ending: usize) -> bool {
    word.strip_prefix(stem).is_some_and(|e| e.chars().count() <= longest_ending)
}

/// The unit of a folded word; `capitals` says that it was written all in capitals.
pub(super) fn of_word(word: &str, capitals: bool) -> Option<Unit> {
    if word.is_ascii() && word.len() == 3 {
        let found = CODES.iter().find(|c| c.eq_ignore_ascii_case(word));
        let found = found.or_else(|| SHOUTED.iter().find(|c| capitals && c.eq_ignore_ascii_case(word)));
        if let Some(code) = found {
            return major(std::slice::from_ref(code), true);
        }
    }
    everyday(word).or_else(|| plain(word)).or_else(|| other_scripts(word))
}

fn plain(word: &str) -> Option<Unit> {
    let minor = Unit { codes: &[], minor: true, everyday: false, leads: false };
    if stem(word, "euro", 5) && !word.starts_with("europ") {
        return major(&["EUR"], true);
    }
    if stem(word, "avro", 5) {
        return major(&["EUR"], false);
    }
    if stem(word, "dollar", 2) || stem(word, "dolar", 5) {
        return major(NAMED_DOLLARS, false);
    }
    if stem(word, "lira", 5) || word == "lire" || word == "liras" || word == "liralik" {
        return major(&["TRY"], false);
    }
    if stem(word, "kurus", 4) || stem(word, "centav", 2) || stem(word, "centim", 3) || stem(word, "centesim", 1) {
        return Some(minor);
    }
    if stem(word, "rupi", 5) || stem(word, "rupa", 4) || stem(word, "rupee", 1) {
        return major(RUPEES, false);
    }
    if stem(word, "zlot", 3) || stem(word, "rubl", 3) || stem(word, "rouble", 1) {
        return major(if word.starts_with('z') { &["PLN"] } else { &["RUB"] }, false);
    }
    Some(match word {
        "tl" => Unit { codes: &["TRY"], minor: false, everyday: false, leads: true },
        "zl" => return major(&["PLN"], true),
        "kc" => return major(&["CZK"], true),
        "kr" | "kronor" | "kroner" | "kronen" | "kronur" | "krona" | "krone" | "koruna" | "korun" => {
            return major(CROWNS, word == "kr");
        }
        "rs" | "inr" => return major(RUPEES, true),
        "fr" | "sfr" => Unit { codes: &["CHF"], minor: false, everyday: true, leads: true },
        "franken" | "francs" | "frank" | "franchi" | "stutz" => return major(&["CHF"], false),
        "dirham" | "dirhams" | "dh" | "dhs" => return major(&["AED", "MAD"], true),
        "bucks" | "buck" => return major(NAMED_DOLLARS, false),
        "quid" | "sterling" => return major(&["GBP"], false),
        "forint" | "forints" => return major(&["HUF"], false),
        "yuan" | "rmb" | "renminbi" => return major(&["CNY"], true),
        "yen" => return major(&["JPY"], false),
        "baht" => return major(&["THB"], false),
        "dinar" | "dinars" | "dinares" => return major(DINARS, false),
        "riyal" | "riyals" | "riyales" => return major(RIALS, false),
        "reais" => return major(&["BRL"], false),
        "cents" | "ct" | "cts" | "eurocent" | "pence" | "penny" | "pennies" | "rappen" | "pfennig" | "groszy" | "paise" | "fils"
        | "oere" | "kopecks" => minor,
        _ => return None,
    })
}

fn everyday(word: &str) -> Option<Unit> {
    let codes: &'static [&'static str] = match word {
        "pound" | "pounds" | "livre" | "livres" | "libra" | "libras" | "pfund" | "sterline" | "ponden" | "pond" => POUNDS,
        "real" => &["BRL"],
        "peso" | "pesos" => PESOS,
        "won" => &["KRW"],
        "rand" => &["ZAR"],
        "lei" | "leu" => &["RON"],
        "lev" | "leva" => &["BGN"],
        "sol" | "soles" => &["PEN"],
        "ft" => &["HUF"],
        "franc" => &["CHF"],
        "cent" => return Some(Unit { codes: &[], minor: true, everyday: true, leads: false }),
        _ => return None,
    };
    Some(Unit { codes, minor: false, everyday: true, leads: false })
}

/// Street names of money, each also the name of a thing: money where the number looks like a price.
pub(super) fn of_slang(word: &str) -> Option<Unit> {
    let codes: &'static [&'static str] = match word {
        "mause" | "tacken" | "kroten" | "ocken" | "flocken" | "balles" | "pavos" | "sacchi" | "piek" | "euronen" => &["EUR", "CHF"],
        "varos" => &["MXN"],
        "lucas" | "luca" => &["CLP", "ARS", "COP"],
        "conto" | "contos" | "pila" | "pilas" | "mangos" | "paus" => &["BRL", "ARS", "EUR"],
        "smackers" | "smackeroos" | "clams" => &["USD", "GBP"],
        "papel" | "papele" | "kagit" => &["TRY"],
        _ => return None,
    };
    Some(Unit { codes, minor: false, everyday: true, leads: false })
}

/// What a banknote's nickname is worth.
pub(super) fn of_banknote(word: &str) -> Option<u32> {
    Some(match word {
        "fiver" => 5,
        "tenner" => 10,
        "zwanni" => 20,
        "fuffi" => 50,
        "hunni" | "benjamin" => 100,
        _ => return None,
    })
}

/// Words of scripts whose endings or neighbours are written on: the beginning decides.
fn other_scripts(word: &str) -> Option<Unit> {
    const TABLE: &[(&str, &[&str])] = &[
        ("евро", &["EUR"]),
        ("руб", &["RUB"]),
        ("грн", &["UAH"]),
        ("грив", &["UAH"]),
        ("долл", DOLLARS),
        ("лв", &["BGN"]),
        ("ευρω", &["EUR"]),
        ("يورو", &["EUR"]),
        ("یورو", &["EUR"]),
        ("دولار", DOLLARS),
        ("دلار", DOLLARS),
        ("درهم", &["AED", "MAD"]),
        ("ريال", RIALS),
        ("ریال", RIALS),
        ("ليرة", &["TRY", "SYP", "LBP"]),
        ("جنيه", &["EGP", "GBP", "SDG"]),
        ("دينار", DINARS),
        ("تومان", &["IRR", "IRT"]),
        ("روپے", RUPEES),
        ("रुप", RUPEES),
        ("रूप", RUPEES),
        ("रु", RUPEES),
        ("यूरो", &["EUR"]),
        ("डॉलर", DOLLARS),
        ("টাকা", &["BDT"]),
        ("บาท", &["THB"]),
        ("ยูโร", &["EUR"]),
        ("שקל", &["ILS"]),
        ("ש\"ח", &["ILS"]),
        ("אירו", &["EUR"]),
        ("元", &["CNY", "TWD"]),
        ("块", &["CNY"]),
        ("円", &["JPY"]),
        ("日元", &["JPY"]),
        ("欧元", &["EUR"]),
        ("歐元", &["EUR"]),
        ("美元", &["USD"]),
        ("人民币", &["CNY"]),
        ("ユーロ", &["EUR"]),
        ("ドル", DOLLARS),
        ("원", &["KRW"]),
        ("유로", &["EUR"]),
        ("달러", DOLLARS),
    ];
    if word.is_ascii() {
        return None;
    }
    let found = TABLE.iter().find(|(w, _)| word.starts_with(w))?;
    major(found.1, true)
}
