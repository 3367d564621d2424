//! Sheets v4 (PROVIDERS 8). Rows are written to fixed ranges, never appended: a repeat writes the same cells. `RAW`: a text stays a text, whatever it
//! begins with.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ask, GoogleError, Host, read};

/// Makes a spreadsheet with one tab that has room for so many rows.
#[must_use]
pub fn create(title: &str, tab: &str, rows: i32, columns: usize) -> Ask {
    let grid = json!({"rowCount": rows, "columnCount": columns, "frozenRowCount": 1});
    let body = json!({"properties": {"title": title}, "sheets": [{"properties": {"title": tab, "gridProperties": grid}}]});
    Ask::new(Method::POST, Host::Sheets, &["v4", "spreadsheets"]).body(body)
}

/// Writes rows from a row on, the first being 1.
#[must_use]
pub fn write(spreadsheet: &str, tab: &str, first: usize, rows: &[Vec<Value>]) -> Ask {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(1);
    let range = format!("{tab}!A{first}:{}{}", column(columns), first + rows.len().max(1) - 1);
    let body = json!({"range": range, "majorDimension": "ROWS", "values": rows});
    Ask::new(Method::PUT, Host::Sheets, &["v4", "spreadsheets", spreadsheet, "values", &range]).with("valueInputOption", "RAW").body(body)
}

/// The letters of a column, the first being 1.
fn column(mut number: usize) -> String {
    let mut letters = Vec::new();
    while number > 0 {
        letters.push(char::from(b'A' + u8::try_from((number - 1) % 26).unwrap_or(0)));
        number = (number - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// A spreadsheet that was made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// Its id.
    pub spreadsheet_id: String,
    /// Where people open it.
    pub spreadsheet_url: String,
}

/// Reads the answer to [`create`].
///
/// # Errors
/// When it has not the form it should have.
pub fn read_made(body: &[u8]) -> Result<Made, GoogleError> {
    read(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_rows_has_a_place_of_its_own_and_stays_text() {
        let ask = write("s1", "Orders", 202, &[vec![json!("=1+1"), json!(2)], vec![json!("x"), json!(3)]]);
        assert_eq!(ask.path.last().unwrap(), "Orders!A202:B203");
        assert!(ask.query.contains(&("valueInputOption", "RAW".to_owned())));
        assert_eq!(ask.method, Method::PUT);
    }

    #[test]
    fn columns_go_on_after_z() {
        assert_eq!([1, 26, 27, 52, 53, 702, 703].map(column), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
