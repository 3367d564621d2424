//! Brings a reply into one plain form (digits, spaces, dashes, case, accents) and remembers where
//! each byte came from, so that a disguised amount reads like a plain one.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A no-break space: it may join the groups of one number.
pub(super) const JOINING_SPACE: char = '\u{a0}';

/// First digits (value 0) of the decimal digit blocks that compatibility forms do not cover.
const ZEROS: &[u32] = &[
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040,
    0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50,
    0xABF0, 0x104A0,
];

/// The plain form of a text.
pub(super) struct Folded {
    /// Lower case, without accents, ASCII digits.
    pub(super) text: String,
    starts: Vec<usize>,
    ends: Vec<usize>,
    upper: Vec<bool>,
    /// A character that reverses what the reader sees; never needed in a reply.
    pub(super) reversing: Option<Range<usize>>,
}

impl Folded {
    /// The bytes of the original that a range of the plain form came from.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let start = self.starts.get(range.start).copied().unwrap_or(0);
        let end = range.end.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or(start);
        start..end.max(start)
    }

    /// Whether any letter of the range was a capital.
    pub(super) fn has_capital(&self, range: Range<usize>) -> bool {
        self.upper.get(range).is_some_and(|u| u.iter().any(|b| *b))
    }

    /// Whether all of the range were capitals.
    pub(super) fn all_capitals(&self, range: Range<usize>) -> bool {
        self.upper.get(range).is_some_and(|u| !u.is_empty() && u.iter().all(|b| *b))
    }

    fn push(&mut self, c: char, at: &Range<usize>, upper: bool) {
        self.text.push(c);
        for _ in 0..c.len_utf8() {
            self.starts.push(at.start);
            self.ends.push(at.end);
            self.upper.push(upper);
        }
    }
}

/// Folds a text.
pub(super) fn fold(original: &str) -> Folded {
    let mut out = Folded {
        text: String::with_capacity(original.len()),
        starts: Vec::with_capacity(original.len()),
        ends: Vec::with_capacity(original.len()),
        upper: Vec::with_capacity(original.len()),
        reversing: None,
    };
    let mut raised = false;
    let mut chars = original.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let at = start..start + c.len_utf8();
        let next = chars.peek().map(|(_, n)| *n);
        if matches!(c, '\u{202d}' | '\u{202e}') {
            out.reversing.get_or_insert(at.clone());
        }
        if invisible(c) {
            continue;
        }
        let after_digit = out.text.chars().next_back().is_some_and(|p| p.is_ascii_digit());
        // Raised cents: 59⁹⁰ is 59.90, not 5990.
        if matches!(c, '⁰' | '¹' | '²' | '³' | '⁴'..='⁹') {
            if after_digit && !raised {
                out.push('.', &at, false);
            }
            raised = true;
        } else {
            raised = false;
        }
        let decimals = match c {
            '½' => Some("5"),
            '¼' => Some("25"),
            '¾' => Some("75"),
            _ => None,
        };
        if let Some(decimals) = decimals {
            let lead = if after_digit { "." } else { "0." };
            lead.chars().chain(decimals.chars()).for_each(|d| out.push(d, &at, false));
            continue;
        }
        match c {
            // Emphasis marks of WhatsApp and Markdown vanish; between digits they mean something.
            '*' | '_' | '`' | '~' => {
                if after_digit && next.is_some_and(|n| digit(n).is_some()) {
                    match c {
                        '*' => " x ".chars().for_each(|x| out.push(x, &at, false)),
                        '~' => out.push('-', &at, false),
                        _ => out.push(' ', &at, false),
                    }
                } else if c == '~' && next.is_some_and(|n| n != '~') && !after_digit {
                    out.push(' ', &at, false);
                }
            }
            '🔟' => "10".chars().for_each(|d| out.push(d, &at, false)),
            '٫' => out.push('.', &at, false),
            '٬' | '’' | '‘' | 'ʼ' | '´' | '′' | '＇' => out.push('\'', &at, false),
            '\u{2010}'..='\u{2015}' | '−' | '﹣' | '－' | '〜' | '～' => out.push('-', &at, false),
            '٪' | '％' => out.push('%', &at, false),
            '\u{a0}' | '\u{202f}' | '\u{2007}' | '\u{2009}' | '\u{200a}' | '\u{2008}' => {
                out.push(JOINING_SPACE, &at, false);
            }
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push('\n', &at, false),
            c if c.is_whitespace() => out.push(' ', &at, false),
            c => push_letters(&mut out, c, &at),
        }
    }
    out
}

fn push_letters(out: &mut Folded, c: char, at: &Range<usize>) {
    if let Some(d) = digit(c) {
        out.push(d, at, false);
        return;
    }
    let upper = c.is_uppercase();
    for k in std::iter::once(c).nfkc() {
        for d in plain(k) {
            for l in d.to_lowercase() {
                match l {
                    'ß' => "ss".chars().for_each(|x| out.push(x, at, upper)),
                    'æ' => "ae".chars().for_each(|x| out.push(x, at, upper)),
                    'œ' => "oe".chars().for_each(|x| out.push(x, at, upper)),
                    'ł' => out.push('l', at, upper),
                    'ø' => out.push('o', at, upper),
                    'đ' => out.push('d', at, upper),
                    'ı' => out.push('i', at, upper),
                    '\u{300}'..='\u{36f}' => {}
                    l => out.push(l, at, upper),
                }
            }
        }
    }
}

/// The letter without its accents, for scripts where an accent never changes the word for us.
fn plain(c: char) -> Vec<char> {
    if (c as u32) < 0x530 || (0x1E00..0x2000).contains(&(c as u32)) {
        std::iter::once(c).nfd().filter(|d| !is_combining_mark(*d)).collect()
    } else {
        vec![c]
    }
}

/// The ASCII digit for a digit of any script.
fn digit(c: char) -> Option<char> {
    if c.is_ascii_digit() {
        return Some(c);
    }
    let code = c as u32;
    let zero = ZEROS.iter().find(|z| (**z..**z + 10).contains(&code));
    if let Some(zero) = zero {
        return char::from_digit(code - zero, 10);
    }
    // Full-width, mathematical, circled and raised digits.
    let mut parts = std::iter::once(c).nfkc();
    match (parts.next(), parts.next()) {
        (Some(d), None) if d.is_ascii_digit() => Some(d),
        _ => None,
    }
}

/// Characters that take no room: they may stand inside a number without being seen.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e01ef}'
        | '\u{300}'..='\u{36f}')
        || (c.is_control() && c != '\n' && c != '\r' && c != '\t')
}

/// A word in its folded form, for comparing names and phrases.
pub(crate) fn fold_text(text: &str) -> String {
    fold(text).text
}
