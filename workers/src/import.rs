//! Reads a file of products: every row that is wrong is named by line and column, with the remedy. Rules only; no database.

mod sheet;

use std::collections::HashMap;

use frontdesk_core::db::products::{ProductInput, ProductRow};
use frontdesk_core::db::stock::MAX_STOCK;
use frontdesk_core::image_url::is_image_url;
use frontdesk_core::money::Money;
use rust_decimal::Decimal;
use serde::Serialize;

use self::sheet::{Row, Sheet};

/// Rows of one file at most.
pub const MAX_ROWS: usize = 10_000;
/// Mistakes that are listed; all bad rows are counted.
const MOST_FAULTS: usize = 100;
const REQUIRED: &[&str] = &["sku", "name", "price", "cost"];
const OPTIONAL: &[&str] = &["stock", "description", "image_url", "low_stock_at"];

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The line of the file, from one.
    pub line: usize,
    /// The column's name; absent where the whole line is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Rows with a mistake.
    pub bad_rows: usize,
    /// The first hundred mistakes, in the order of the file.
    pub listed: Vec<Fault>,
}

impl Faults {
    fn one(line: usize, message: impl Into<String>) -> Self {
        Self { bad_rows: 1, listed: vec![Fault { line, column: None, message: message.into() }] }
    }

    fn row(&mut self, faults: Vec<Fault>) {
        self.bad_rows += 1;
        let room = MOST_FAULTS.saturating_sub(self.listed.len());
        self.listed.extend(faults.into_iter().take(room));
    }
}

/// A row that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Under which the product is found again.
    pub sku: String,
    name: String,
    price: Money,
    cost: Money,
    // Of a column that the file does not have nothing is known, and what stands stays.
    stock: Option<i32>,
    description: Option<String>,
    image_url: Option<Option<String>>,
    low_stock_at: Option<Option<i32>>,
}

impl Wanted {
    /// The product as it is to be; `standing` is what it is now.
    #[must_use]
    pub fn input(&self, standing: Option<&ProductRow>) -> ProductInput {
        ProductInput {
            name: self.name.clone(),
            description: self.description.clone().or_else(|| standing.map(|row| row.description.clone())).unwrap_or_default(),
            sku: Some(self.sku.clone()),
            price: self.price,
            cost: self.cost,
            stock: self.stock.or_else(|| standing.map(|row| row.stock)).unwrap_or_default(),
            image_url: self.image_url.clone().unwrap_or_else(|| standing.and_then(|row| row.image_url.clone())),
            low_stock_at: self.low_stock_at.unwrap_or_else(|| standing.and_then(|row| row.low_stock_at)),
        }
    }
}

/// Whether a product is already what it is to be.
#[must_use]
pub fn stands(row: &ProductRow, input: &ProductInput) -> bool {
    let same = row.name == input.name && row.description == input.description && row.sku == input.sku;
    let priced = row.price == input.price && row.cost == input.cost && row.stock == input.stock;
    same && priced && row.image_url == input.image_url && row.low_stock_at == input.low_stock_at
}

/// Takes a file of products apart.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str) -> Result<Vec<Wanted>, Faults> {
    let mut rows = Sheet::new(text);
    let Some(head) = rows.next() else {
        return Err(Faults::one(1, format!("the file is empty; its first line names the columns: {}", REQUIRED.join(","))));
    };
    let columns = columns(&head)?;
    let mut faults = Faults::default();
    let mut line_of: HashMap<String, usize> = HashMap::new();
    let mut wanted = Vec::new();
    for (count, row) in rows.enumerate() {
        if count == MAX_ROWS {
            return Err(Faults::one(
                row.line,
                format!("a file has {MAX_ROWS} rows at most; split it here and send the rest as another file"),
            ));
        }
        let mut cells = Cells { row: &row, columns: &columns, faults: Vec::new() };
        let read = cells.read();
        if let Some(read) = &read
            && let Some(line) = line_of.insert(read.sku.clone(), row.line)
        {
            cells.refuse("sku", format!("stands on line {line} too; keep one row per product"));
        }
        if cells.faults.is_empty() {
            wanted.extend(read);
        } else {
            faults.row(cells.faults);
        }
    }
    if faults.bad_rows > 0 { Err(faults) } else { Ok(wanted) }
}

/// The columns of the file in their order.
fn columns(head: &Row) -> Result<Vec<&'static str>, Faults> {
    let mut faults = Vec::new();
    let mut fault = |column: &str, message: String| {
        let column: String = column.chars().filter(|c| !c.is_control()).take(60).collect();
        faults.push(Fault { line: head.line, column: Some(column), message });
    };
    let mut columns: Vec<&'static str> = Vec::new();
    // Spreadsheets write separators for columns that once held something.
    let named = head.cells.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
    for name in head.cells.iter().take(named) {
        let name = name.trim().to_lowercase();
        match REQUIRED.iter().chain(OPTIONAL).copied().find(|known| *known == name) {
            Some(known) if columns.contains(&known) => fault(known, "is there twice; leave one out".to_owned()),
            Some(known) => columns.push(known),
            None => fault(&name, format!("is not known; the columns are {} and, if wanted, {}", REQUIRED.join(", "), OPTIONAL.join(", "))),
        }
    }
    for missing in REQUIRED.iter().filter(|required| !columns.contains(required)) {
        fault(missing, "is missing; add this column".to_owned());
    }
    if faults.is_empty() {
        return Ok(columns);
    }
    let mut all = Faults::default();
    all.row(faults);
    Err(all)
}

struct Cells<'a> {
    row: &'a Row,
    columns: &'a [&'static str],
    faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    fn refuse(&mut self, column: &str, message: impl Into<String>) {
        self.faults.push(Fault { line: self.row.line, column: Some(column.to_owned()), message: message.into() });
    }

    fn refuse_row(&mut self, message: impl Into<String>) {
        self.faults.push(Fault { line: self.row.line, column: None, message: message.into() });
    }

    /// `None` for a column that the file does not have.
    fn cell(&self, column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|known| *known == column)?;
        Some(self.row.cells.get(at).map_or("", |cell| cell.trim()))
    }

    fn text(&mut self, column: &'static str, least: usize, most: usize) -> Option<String> {
        let text = self.cell(column)?;
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.refuse(column, "must not hold control characters");
        } else if text.is_empty() && least > 0 {
            self.refuse(column, "is empty; fill it in");
        } else if text.chars().count() > most {
            self.refuse(column, format!("must have {most} characters at most"));
        } else {
            return Some(text.to_owned());
        }
        None
    }

    fn money(&mut self, column: &'static str) -> Option<Money> {
        let money = amount(self.cell(column)?);
        if money.is_none() {
            self.refuse(column, "must be an amount with at most two decimals and nothing between thousands, e.g. 1059.90");
        }
        money
    }

    fn pieces(&mut self, column: &'static str) -> Option<i32> {
        let text = self.cell(column)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let pieces = text.parse::<i32>().ok().filter(|pieces| digits && *pieces <= MAX_STOCK);
        if pieces.is_none() {
            self.refuse(column, format!("must be a whole number from 0 to {MAX_STOCK}"));
        }
        pieces
    }

    /// The row; every mistake in it is noted.
    fn read(&mut self) -> Option<Wanted> {
        if self.row.open_quote {
            self.refuse_row("has a quote that is not closed where its text ends; close it, and double a quote that belongs to the text");
            return None;
        }
        if self.row.cells.iter().skip(self.columns.len()).any(|cell| !cell.trim().is_empty()) {
            let columns = self.columns.len();
            self.refuse_row(format!(
                "has more cells than the {columns} columns of the first line; put text that holds the separator in quotes"
            ));
            return None;
        }
        let (sku, name) = (self.text("sku", 1, 100), self.text("name", 1, 200));
        let (price, cost, stock) = (self.money("price"), self.money("cost"), self.pieces("stock"));
        let description = self.text("description", 0, 5000);
        let image_url = match self.cell("image_url") {
            None => None,
            Some("") => Some(None),
            Some(url) if is_image_url(url) => Some(Some(url.to_owned())),
            Some(_) => {
                self.refuse("image_url", "must be a web address that begins with https://, without a password in it");
                None
            }
        };
        let low_stock_at = match self.cell("low_stock_at") {
            None => None,
            Some("") => Some(None),
            Some(_) => self.pieces("low_stock_at").map(Some),
        };
        Some(Wanted { sku: sku?, name: name?, price: price?, cost: cost?, stock, description, image_url, low_stock_at })
    }
}

/// Where spreadsheets separate cells by `;` they write a comma before the decimals.
fn amount(text: &str) -> Option<Money> {
    let text = match text.split_once(',') {
        Some((whole, decimals)) if !whole.contains('.') && (1..=2).contains(&decimals.len()) => format!("{whole}.{decimals}"),
        _ => text.to_owned(),
    };
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Money::new(Decimal::from_str_exact(&text).ok().filter(|_| plain)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "sku,name,price,cost,stock\n";

    fn faults(text: &str) -> Vec<(usize, String)> {
        let faults = read(text).unwrap_err();
        faults.listed.into_iter().map(|fault| (fault.line, fault.column.unwrap_or_default())).collect()
    }

    fn at(list: &[(usize, &str)]) -> Vec<(usize, String)> {
        list.iter().map(|(line, column)| (*line, (*column).to_owned())).collect()
    }

    #[test]
    fn every_bad_row_is_named_by_line_and_column() {
        let rows = [
            "a,A,1,1,1",
            ",B,1,1,1",
            "c,,1,1,1",
            "d,D,\"1,500\",1,1",
            "e,E,1,-1,1",
            "f,F,1,1,1.5",
            "g,\"G\ng\",1,1,x",
            "a,H,1,1,1",
            "i,I,1,1,1,1",
            "j,J,1.999,1_0,+1",
            "",
            ",,,,",
            "k,K,1,1",
        ];
        for line_break in ["\n", "\r\n", "\r"] {
            let text = format!("{HEAD}{}", rows.join("\n")).replace('\n', line_break);
            let expected = [
                (3, "sku"),
                (4, "name"),
                (5, "price"),
                (6, "cost"),
                (7, "stock"),
                (8, "stock"),
                (10, "sku"),
                (11, ""),
                (12, "price"),
                (12, "cost"),
                (12, "stock"),
                (15, "stock"),
            ];
            assert_eq!(faults(&text), at(&expected), "{line_break:?}");
            assert_eq!(read(&text).unwrap_err().bad_rows, 10);
        }
    }

    #[test]
    fn a_file_without_its_columns_is_refused_by_its_head() {
        assert_eq!(faults("sku,name,price,colour,sku\n"), at(&[(1, "colour"), (1, "sku"), (1, "cost")]));
        assert_eq!(faults(""), at(&[(1, "")]));
        assert_eq!(faults("\n\nname;sku;price\n"), at(&[(3, "cost")]));
    }

    #[test]
    fn what_is_too_much_is_refused_and_no_list_grows_for_ever() {
        let rows = |count: usize, price: &str| format!("{HEAD}{}", (0..count).map(|n| format!("{n},N,{price},1,1\n")).collect::<String>());
        assert_eq!(faults(&rows(MAX_ROWS + 1, "1")), at(&[(MAX_ROWS + 2, "")]));
        assert_eq!(read(&rows(MAX_ROWS, "1")).map(|rows| rows.len()), Ok(MAX_ROWS));
        let faults = read(&rows(MAX_ROWS, "x")).unwrap_err();
        assert_eq!((faults.bad_rows, faults.listed.len()), (MAX_ROWS, MOST_FAULTS));
        assert!(read(&format!("{}\n", "x,".repeat(1_000_000))).unwrap_err().listed.len() <= MOST_FAULTS);
    }

    #[test]
    fn a_quote_that_is_never_closed_swallows_no_rows_unseen() {
        let text = format!("{HEAD}a,\"A,1,1,1\nb,B,1,1,1\nc,C,1,1,1\n");
        assert_eq!(faults(&text), at(&[(2, "")]));
        let text = "sku,name,price,cost,description\na,A,1,1,\"new\nb,B,1,1,\"old\"\nc,C,1,1,\n";
        assert_eq!(faults(text), at(&[(2, "")]));
        assert_eq!(read(&format!("{HEAD}a,5\" pipe,1,1,1\nb,\"5\"\" pipe\n(long)\",1,1,1\n")).map(|rows| rows.len()), Ok(2));
    }

    #[test]
    fn columns_come_in_any_order_and_what_a_file_does_not_have_stays() {
        let rows = read("\u{feff}Name;SKU;cost;price;low_stock_at;\r\nBlue; b-1 ;1;2,50;;\r\n").unwrap();
        let input = rows[0].input(None);
        assert_eq!((input.name.as_str(), input.stock, input.price.to_string(), input.low_stock_at), ("Blue", 0, "2.50".to_owned(), None));
        let standing = ProductRow {
            id: frontdesk_core::ids::ProductId(1),
            sku: Some("b-1".to_owned()),
            name: "Blue".to_owned(),
            description: "kept".to_owned(),
            price: input.price,
            cost: input.cost,
            stock: 4,
            image_url: Some("/kept.svg".to_owned()),
            active: true,
            low_stock_at: Some(3),
            low_stock: false,
            created_at: chrono::DateTime::UNIX_EPOCH,
            updated_at: chrono::DateTime::UNIX_EPOCH,
            version: 1,
            title: None,
            options: serde_json::json!({}),
            variant_group: None,
        };
        let change = rows[0].input(Some(&standing));
        assert_eq!((change.description.as_str(), change.image_url.as_deref(), change.stock), ("kept", Some("/kept.svg"), 4));
        assert_eq!(change.low_stock_at, None, "an empty cell is a wish");
        assert!(!stands(&standing, &change) && stands(&ProductRow { low_stock_at: None, ..standing.clone() }, &change));
    }

    #[test]
    fn amounts_are_exact_with_a_point_or_a_comma() {
        for (text, money) in [("59.90", Some("59.90")), ("59,9", Some("59.90")), ("7", Some("7.00")), ("0", Some("0.00"))] {
            assert_eq!(amount(text).map(|money| money.to_string()).as_deref(), money, "{text}");
        }
        for text in ["", "-1", "1,000", "1.000,50", "1,234,50", "1e3", "1_0", "+1", "€5", "5 ", "99999999999", "1.005", "x"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }
}
