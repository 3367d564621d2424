//! CSV as spreadsheets write it: a byte order mark or none, cells separated by `,`, `;` or tab, quoted line breaks, any line ends.

use csv::{Reader, ReaderBuilder, StringRecord};
use frontdesk_core::spreadsheet::BYTE_ORDER_MARK;

/// Cells of a row at most; what is beyond belongs to no known column.
const MOST_CELLS: usize = 100;

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// The line on which it begins, from one.
    pub(super) line: usize,
    /// Its cells.
    pub(super) cells: Vec<String>,
    /// It goes on over lines with a quote left open, or one that belongs to the text.
    pub(super) open_quote: bool,
}

/// The rows of a file one by one; those with nothing in them are left out.
pub(super) struct Sheet<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    record: StringRecord,
    /// Up to where lines are counted, in bytes, and the line there.
    counted: usize,
    line: usize,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let reader = ReaderBuilder::new().delimiter(separator(text)).has_headers(false).flexible(true).from_reader(text.as_bytes());
        Self { text, reader, record: StringRecord::new(), counted: 0, line: 1 }
    }
}

/// The one of `,`, `;` and tab that the head has most of.
fn separator(text: &str) -> u8 {
    let head = text.split(['\r', '\n']).find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| head.bytes().filter(|byte| byte == separator).count();
    // Of equals the last is taken: a head of one column has none of them.
    *b"\t;,".iter().max_by_key(|separator| count(separator)).unwrap_or(&b',')
}

impl Iterator for Sheet<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        // The text is UTF-8 and lies in memory, and rows may differ in length: nothing is left that could fail.
        while self.reader.read_record(&mut self.record).unwrap_or(false) {
            let place = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
            let start = self.record.position().map_or(0, |position| place(position.byte()));
            let raw = self.text.get(start..place(self.reader.position().byte())).unwrap_or_default();
            // The reader counts the rest of the line before, and empty lines, to the row that follows.
            let own = raw.trim_start_matches(['\r', '\n']);
            let begin = start + raw.len() - own.len();
            self.line += breaks(self.text.get(self.counted..begin).unwrap_or_default());
            self.counted = begin;
            if self.record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let over_lines = breaks(own.trim_end_matches(['\r', '\n'])) > 0;
            let open_quote = over_lines && own.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
            return Some(Row { line: self.line, cells: self.record.iter().take(MOST_CELLS).map(str::to_owned).collect(), open_quote });
        }
        None
    }
}

/// Line ends of any kind.
fn breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |(at, byte): &(usize, &u8)| **byte == b'\n' || (**byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    bytes.iter().enumerate().filter(ends).count()
}
