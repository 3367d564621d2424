//! CSV as spreadsheets write and read it (RFC 4180, with `;` or tab as well, and a byte order mark).

/// Tells spreadsheets that the file is UTF-8.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which it begins, from one.
    pub line: usize,
    /// Its cells.
    pub cells: Vec<String>,
}

/// A file that cannot be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Unreadable {
    /// The line, from one.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub why: &'static str,
}

/// Takes a file apart. The separator is the one of `,`, `;` and tab that the first line has most of; empty lines are left out.
///
/// # Errors
/// When a quote is never closed, or text follows a closed one.
pub fn read(text: &str) -> Result<Vec<Row>, Unreadable> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: &char| head.matches(*separator).count();
    let separator = [',', ';', '\t'].into_iter().rev().max_by_key(count).unwrap_or(',');
    let mut rows = Vec::new();
    let mut row = Row { line: 1, cells: Vec::new() };
    let (mut cell, mut line, mut quoted) = (String::new(), 1, false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted => {
                if characters.next_if_eq(&'"').is_some() {
                    cell.push('"');
                    continue;
                }
                quoted = false;
                if characters.peek().is_some_and(|next| *next != separator && !matches!(next, '\r' | '\n')) {
                    return Err(Unreadable { line, why: "text follows a closing quote; double a quote that belongs to the text" });
                }
            }
            '"' if cell.is_empty() => quoted = true,
            '\n' if quoted => {
                line += 1;
                cell.push(c);
            }
            '\n' => {
                line += 1;
                row.cells.push(std::mem::take(&mut cell));
                let done = std::mem::replace(&mut row, Row { line, cells: Vec::new() });
                if done.cells.iter().any(|cell| !cell.trim().is_empty()) {
                    rows.push(done);
                }
            }
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            c if c == separator && !quoted => row.cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if quoted {
        return Err(Unreadable { line: row.line, why: "a quote is opened and never closed" });
    }
    row.cells.push(cell);
    if row.cells.iter().any(|cell| !cell.trim().is_empty()) {
        rows.push(row);
    }
    Ok(rows)
}

/// Appends a row to a file. Cells of ours: numbers, dates, fixed words.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut String,
    begun: bool,
}

impl<'a> Writer<'a> {
    /// A new row at the end of `out`.
    #[must_use]
    pub fn row(out: &'a mut String) -> Self {
        Self { out, begun: false }
    }

    /// A cell of our own making: a number, a time, a fixed word.
    pub fn plain(&mut self, value: impl std::fmt::Display) -> &mut Self {
        self.cell(&value.to_string())
    }

    /// A cell that somebody wrote. What a spreadsheet would run as a formula is made text by an apostrophe.
    pub fn text(&mut self, value: &str) -> &mut Self {
        if value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
            return self.cell(&format!("'{value}"));
        }
        self.cell(value)
    }

    fn cell(&mut self, value: &str) -> &mut Self {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(',');
        }
        if value.contains([',', ';', '"', '\n', '\r', '\t']) {
            self.out.push('"');
            self.out.push_str(&value.replace('"', "\"\""));
            self.out.push('"');
        } else {
            self.out.push_str(value);
        }
        self
    }

    /// Ends the row.
    pub fn end(self) {
        self.out.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(usize, Vec<String>)> {
        read(text).unwrap().into_iter().map(|row| (row.line, row.cells)).collect()
    }

    #[test]
    fn files_of_every_spreadsheet_are_taken_apart() {
        let expected = vec![(1, vec!["sku".to_owned(), "name".to_owned()]), (2, vec!["1".to_owned(), "a \"b\"".to_owned()])];
        for text in ["sku,name\n1,\"a \"\"b\"\"\"", "\u{feff}sku;name\r\n1;\"a \"\"b\"\"\"\r\n", "sku\tname\n1\ta \"b\"\n\n  \n"] {
            assert_eq!(cells(text), expected, "{text:?}");
        }
        assert_eq!(
            cells("a,b\n\"x\ny\",\n,z"),
            [
                (1, vec!["a".to_owned(), "b".to_owned()]),
                (2, vec!["x\ny".to_owned(), String::new()]),
                (4, vec![String::new(), "z".to_owned()])
            ]
        );
        assert!(cells("").is_empty());
    }

    #[test]
    fn what_cannot_be_taken_apart_is_named_by_its_line() {
        assert_eq!(read("a\nb\n\"c\nd").unwrap_err().line, 3);
        assert_eq!(read("a,b\n\"x\" y,1").unwrap_err().line, 2);
    }

    #[test]
    fn no_cell_becomes_a_formula_and_numbers_stay_numbers() {
        let mut out = String::new();
        let mut row = Writer::row(&mut out);
        row.text("=1+1").text("+49").text("-x").text("@me").text("\tx").text("\rx").text("a=b").plain("-5.00");
        row.end();
        assert_eq!(out, "'=1+1,'+49,'-x,'@me,\"'\tx\",\"'\rx\",a=b,-5.00\r\n");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(cells in proptest::collection::vec("[a-z ,;\"\n\r\t=é]{0,8}", 1..6)) {
            let mut out = String::from("x,y,z,u,v,w,,,,,,,\r\n");
            let mut row = Writer::row(&mut out);
            for cell in &cells {
                row.plain(cell);
            }
            row.end();
            let rows = read(&out).unwrap();
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                proptest::prop_assert_eq!(&rows[1].cells, &cells);
            } else {
                proptest::prop_assert_eq!(rows.len(), 1);
            }
        }
    }
}
