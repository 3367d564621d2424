//! Reads written numbers: separators of every locale, Indian grouping, raised cents.

use rust_decimal::Decimal;

/// A number as it was written with digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// What it may mean; empty when the separators make no sense as one number.
    pub(super) values: Vec<Decimal>,
    /// Digits after the decimal sign.
    pub(super) decimals: usize,
    /// All digits, with leading zeros.
    pub(super) digits: String,
    /// Bytes read.
    pub(super) len: usize,
}

/// Reads the number that begins the text, if one does. With `thousandths`, `1.250` may also be one
/// and a quarter (currencies such as KWD have three decimals).
pub(super) fn read(text: &str, thousandths: bool) -> Option<Written> {
    let bytes: Vec<char> = text.chars().take(64).collect();
    let digits_at = |from: usize| bytes.iter().skip(from).take_while(|c| c.is_ascii_digit()).count();
    let mut groups: Vec<String> = Vec::new();
    let mut signs: Vec<char> = Vec::new();
    let mut at = 0;
    if matches!(bytes.first(), Some('.' | ',')) && digits_at(1) > 0 {
        groups.push("0".into());
        signs.push(bytes[0]);
        at = 1;
    }
    let n = digits_at(at);
    if n == 0 {
        return None;
    }
    groups.push(bytes[at..at + n].iter().collect());
    at += n;
    while let Some(sign) = bytes.get(at).copied() {
        let n = digits_at(at + 1);
        let joins = match sign {
            '.' | ',' | '\'' => n > 0,
            ' ' | super::fold::JOINING_SPACE => {
                n == 3
                    && groups[0].len() <= 3
                    && groups[0] != "0"
                    && !groups[0].starts_with('0')
                    && signs.iter().all(|s| *s == ' ' || *s == super::fold::JOINING_SPACE)
            }
            _ => false,
        };
        if !joins {
            break;
        }
        signs.push(if sign == super::fold::JOINING_SPACE { ' ' } else { sign });
        groups.push(bytes[at + 1..at + 1 + n].iter().collect());
        at += 1 + n;
    }
    let (values, decimals) = values(&groups, &signs, thousandths);
    let len = bytes[..at].iter().map(|c| c.len_utf8()).sum();
    Some(Written { values, decimals, digits: groups.concat(), len })
}

fn values(groups: &[String], signs: &[char], thousandths: bool) -> (Vec<Decimal>, usize) {
    let whole = |g: &[String]| g.concat().parse::<Decimal>().ok();
    let decimal = |g: &[String], last: &str| format!("{}.{last}", g.concat()).parse::<Decimal>().ok();
    let (Some(last), Some(sign)) = (groups.last(), signs.last()) else {
        return (whole(groups).into_iter().collect(), 0);
    };
    let lead = &groups[..groups.len() - 1];
    let before = &signs[..signs.len() - 1];
    if before.is_empty() {
        return match (sign, last.len()) {
            (' ', _) | ('\'', 3) => (whole(groups).into_iter().collect(), 0),
            ('\'', 2) => (decimal(lead, last).into_iter().collect(), 2),
            ('\'', _) => (Vec::new(), 0),
            (_, 3) if lead[0].len() <= 3 && !lead[0].starts_with('0') => {
                let other = thousandths.then(|| decimal(lead, last)).flatten();
                (whole(groups).into_iter().chain(other).collect(), 0)
            }
            (_, n) => (decimal(lead, last).into_iter().collect(), n),
        };
    }
    if before.iter().all(|s| s == sign) {
        let fine = grouped(groups, *sign);
        return (fine.then(|| whole(groups)).flatten().into_iter().collect(), 0);
    }
    let first = before[0];
    if matches!(sign, '.' | ',') && before.iter().all(|s| *s == first) && grouped(lead, first) {
        return (decimal(lead, last).into_iter().collect(), last.len());
    }
    (Vec::new(), 0)
}

/// Whether the groups are thousands (1 299 000) or Indian (12,99,000).
fn grouped(groups: &[String], sign: char) -> bool {
    let Some((last, rest)) = groups.split_last() else { return false };
    let Some((first, middle)) = rest.split_first() else { return true };
    let thousands = first.len() <= 3 && middle.iter().all(|g| g.len() == 3);
    let indian = sign == ',' && first.len() <= 2 && middle.iter().all(|g| g.len() == 2);
    last.len() == 3 && (thousands || indian)
}
