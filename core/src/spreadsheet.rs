//! What spreadsheets make of a cell.

use std::borrow::Cow;

/// Tells spreadsheets that a file is UTF-8.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A cell that somebody wrote, as text: what a spreadsheet would run as a formula gets an apostrophe in front. For words alone; a number of ours may
/// begin with a minus.
#[must_use]
pub fn text(value: &str) -> Cow<'_, str> {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{value}").into() } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_becomes_a_formula() {
        for (written, cell) in
            [("=1+1", "'=1+1"), ("+49", "'+49"), ("-x", "'-x"), ("@me", "'@me"), ("\tx", "'\tx"), ("\r=x", "'\r=x"), ("\n=x", "'\n=x")]
        {
            assert_eq!(text(written), cell);
        }
        assert_eq!(text("a=b"), "a=b");
        assert_eq!(text(""), "");
    }
}
