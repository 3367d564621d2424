//! Sheets v4 (PROVIDERS 8): a spreadsheet made, rows appended, written and read.

use serde_json::{Value, json};

use super::reply::{Refused, Reply};
use super::world::{Spreadsheet, Tab, World};
use super::{Asked, Caller, caller};
use crate::ids;
use crate::state::State;

const WRITE: [&str; 3] = ["spreadsheets", "drive", "drive.file"];
const READ: [&str; 5] = ["spreadsheets", "spreadsheets.readonly", "drive", "drive.readonly", "drive.file"];
/// Columns there are (`ZZZ`).
const MAX_COLUMNS: usize = 18_278;
/// Cells one spreadsheet holds.
const MAX_ROWS: usize = 100_000;

fn invalid(message: impl Into<String>) -> Refused {
    Refused::new(400, "invalidArgument", message)
}

pub(super) fn serve(state: &State, asked: &Asked, path: &[&str]) -> Result<Reply, Refused> {
    match (asked.method.as_str(), path) {
        ("POST", []) => create(state, asked),
        ("GET", [id]) => with(state, asked, &READ, id, |sheet| Ok(resource(id, sheet))),
        ("POST", [id, "values:batchUpdate"]) => {
            let body = asked.json()?;
            let entered = entered(body["valueInputOption"].as_str())?;
            with(state, asked, &WRITE, id, |sheet| {
                let mut responses = Vec::new();
                for data in body["data"].as_array().unwrap_or(&Vec::new()) {
                    responses.push(update(id, sheet, data["range"].as_str().unwrap_or_default(), data, entered)?);
                }
                Ok(json!({ "spreadsheetId": id, "responses": responses }))
            })
        }
        ("POST", [id, "values", range]) if range.ends_with(":append") => {
            let entered = entered(asked.param("valueInputOption"))?;
            let body = asked.json()?;
            with(state, asked, &WRITE, id, |sheet| append(id, sheet, range.trim_end_matches(":append"), &body, entered))
        }
        ("PUT", [id, "values", range]) => {
            let entered = entered(asked.param("valueInputOption"))?;
            let body = asked.json()?;
            with(state, asked, &WRITE, id, |sheet| update(id, sheet, range, &body, entered))
        }
        ("GET", [id, "values", range]) => with(state, asked, &READ, id, |sheet| {
            let area = area(sheet, range)?;
            let formulas = asked.param("valueRenderOption") == Some("FORMULA");
            Ok(json!({ "range": area.name(sheet), "majorDimension": "ROWS", "values": read(sheet, &area, formulas) }))
        }),
        _ => Err(Refused::not_found()),
    }
}

/// Whether values are taken as a person's typing would be.
fn entered(option: Option<&str>) -> Result<bool, Refused> {
    match option {
        Some("RAW") => Ok(false),
        Some("USER_ENTERED") => Ok(true),
        None => Err(invalid("'valueInputOption' is required but not specified")),
        Some(other) => Err(invalid(format!(
            "Invalid value at 'value_input_option' (type.googleapis.com/google.apps.sheets.v4.ValueInputOption), \"{other}\""
        ))),
    }
}

fn reachable<'a>(world: &'a mut World, id: &str, who: &Caller) -> Result<&'a mut Spreadsheet, Refused> {
    let sheet = world.sheets.get_mut(id).ok_or_else(|| Refused::new(404, "notFound", "Requested entity was not found."))?;
    let only_files = !who.scopes.iter().any(|s| s.ends_with("/spreadsheets") || s.ends_with("/drive") || s.ends_with(".readonly"));
    if only_files && !sheet.of_the_app {
        return Err(Refused::new(404, "notFound", "Requested entity was not found."));
    }
    if sheet.owner != who.email {
        return Err(Refused::new(403, "forbidden", "The caller does not have permission"));
    }
    Ok(sheet)
}

fn with(
    state: &State,
    asked: &Asked,
    scopes: &[&str],
    id: &str,
    f: impl FnOnce(&mut Spreadsheet) -> Result<Value, Refused>,
) -> Result<Reply, Refused> {
    let who = caller(state, asked, scopes)?;
    state.google.with(|world| f(reachable(world, id, &who)?).map(Reply::json))
}

fn resource(id: &str, sheet: &Spreadsheet) -> Value {
    let tabs: Vec<Value> = sheet
        .tabs
        .iter()
        .enumerate()
        .map(|(place, tab)| {
            let grid = json!({ "rowCount": tab.rows.len().max(1000), "columnCount": 26 });
            json!({ "properties": { "sheetId": tab.id, "title": tab.title, "index": place, "sheetType": "GRID", "gridProperties": grid } })
        })
        .collect();
    json!({
        "spreadsheetId": id,
        "properties": { "title": sheet.title, "locale": "en_US", "timeZone": "Etc/GMT" },
        "sheets": tabs,
        "spreadsheetUrl": format!("https://docs.google.com/spreadsheets/d/{id}/edit"),
    })
}

fn create(state: &State, asked: &Asked) -> Result<Reply, Refused> {
    let who = caller(state, asked, &WRITE)?;
    let body = asked.json()?;
    let title = body["properties"]["title"].as_str().unwrap_or("Untitled spreadsheet").to_owned();
    let mut tabs: Vec<Tab> = Vec::new();
    for (place, tab) in body["sheets"].as_array().unwrap_or(&Vec::new()).iter().enumerate() {
        let title = tab["properties"]["title"].as_str().map_or_else(|| format!("Sheet{}", place + 1), str::to_owned);
        if tabs.iter().any(|known| known.title == title) {
            return Err(invalid(format!("Invalid requests[0].addSheet: A sheet with the name \"{title}\" already exists.")));
        }
        tabs.push(Tab { id: i64::try_from(place).unwrap_or(0), title, rows: Vec::new() });
    }
    if tabs.is_empty() {
        tabs.push(Tab { id: 0, title: "Sheet1".to_owned(), rows: Vec::new() });
    }
    let id = format!("1{}", ids::random_text::<32>());
    let made = Spreadsheet { owner: who.email, title, of_the_app: true, tabs };
    let answer = resource(&id, &made);
    state.google.with(|world| world.sheets.insert(id, made));
    Ok(Reply::json(answer))
}

/// A range in A1 notation, read: the tab's place, and the first cell and the cell after the last, from 0.
struct Area {
    tab: usize,
    top: usize,
    left: usize,
    bottom: Option<usize>,
    right: Option<usize>,
}

impl Area {
    fn name(&self, sheet: &Spreadsheet) -> String {
        let tab = &sheet.tabs[self.tab];
        let bottom = self.bottom.unwrap_or_else(|| tab.rows.len().max(1000));
        a1(&tab.title, self.top, self.left, bottom.saturating_sub(self.top), self.right.unwrap_or(26).saturating_sub(self.left))
    }
}

fn column(mut at: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.push(char::from(b'A' + u8::try_from(at % 26).unwrap_or(0)));
        if at < 26 {
            return name.into_iter().rev().collect();
        }
        at = at / 26 - 1;
    }
}

fn a1(title: &str, top: usize, left: usize, rows: usize, columns: usize) -> String {
    let plain = title.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let title = if plain { title.to_owned() } else { format!("'{}'", title.replace('\'', "''")) };
    let first = format!("{}{}", column(left), top + 1);
    let last = format!("{}{}", column(left + columns.max(1) - 1), top + rows.max(1));
    if first == last { format!("{title}!{first}") } else { format!("{title}!{first}:{last}") }
}

/// `B12` as column and row, either of which may be left out.
fn cell(text: &str) -> Option<(Option<usize>, Option<usize>)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, row) = text.split_at(letters);
    let at = name.bytes().try_fold(0usize, |at, b| at.checked_mul(26)?.checked_add(usize::from(b.to_ascii_uppercase() - b'A') + 1))?;
    if at > MAX_COLUMNS || text.is_empty() {
        return None;
    }
    let row = if row.is_empty() { None } else { Some(row.parse::<usize>().ok()?.checked_sub(1)?) };
    Some((at.checked_sub(1), row.filter(|r| *r < MAX_ROWS)))
}

fn area(sheet: &Spreadsheet, range: &str) -> Result<Area, Refused> {
    let refused = || invalid(format!("Unable to parse range: {range}"));
    let titled = |name: &str| {
        let bare = name.strip_prefix('\'').and_then(|n| n.strip_suffix('\'')).map_or_else(|| name.to_owned(), |n| n.replace("''", "'"));
        sheet.tabs.iter().position(|tab| tab.title.eq_ignore_ascii_case(&bare))
    };
    let whole = |tab| Area { tab, top: 0, left: 0, bottom: None, right: None };
    let (tab, cells) = match range.rsplit_once('!') {
        Some((name, cells)) => (titled(name).ok_or_else(refused)?, cells),
        None => match titled(range) {
            Some(tab) => return Ok(whole(tab)),
            None => (0, range),
        },
    };
    let (first, last) = cells.split_once(':').unwrap_or((cells, cells));
    let (left, top) = cell(first).ok_or_else(refused)?;
    let (right, bottom) = cell(last).ok_or_else(refused)?;
    if !cells.contains(':') && (left.is_none() || top.is_none()) {
        return Err(refused());
    }
    Ok(Area { tab, top: top.unwrap_or(0), left: left.unwrap_or(0), bottom: bottom.map(|b| b + 1), right: right.map(|r| r + 1) })
}

/// A value as the cell keeps it: typed in, a text beginning with `=` is a formula.
fn kept(value: &Value, entered: bool) -> Result<Value, Refused> {
    match value {
        Value::String(text) if entered && text.starts_with('=') => Ok(json!({ "formula": text })),
        Value::String(text) if entered => Ok(text.parse::<f64>().ok().filter(|n| n.is_finite()).map_or_else(|| json!(text), |n| json!(n))),
        Value::Array(_) | Value::Object(_) => Err(invalid("Invalid values[0][0]: list_value {}")),
        other => Ok(other.clone()),
    }
}

fn values(body: &Value, entered: bool) -> Result<Vec<Vec<Value>>, Refused> {
    if !matches!(body["majorDimension"].as_str(), None | Some("ROWS")) {
        return Err(invalid("Only majorDimension ROWS is there."));
    }
    let none = Vec::new();
    let rows = body["values"].as_array().unwrap_or(&none);
    rows.iter()
        .map(|row| {
            let row =
                row.as_array().ok_or_else(|| invalid("Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue)"))?;
            row.iter().map(|value| kept(value, entered)).collect()
        })
        .collect()
}

fn write(tab: &mut Tab, top: usize, left: usize, rows: &[Vec<Value>]) -> Result<(), Refused> {
    if top + rows.len() > MAX_ROWS {
        return Err(invalid("This action would increase the number of cells in the workbook above the limit of 10000000 cells."));
    }
    for (place, values) in rows.iter().enumerate() {
        while tab.rows.len() <= top + place {
            tab.rows.push(Vec::new());
        }
        let row = &mut tab.rows[top + place];
        for (place, value) in values.iter().enumerate().filter(|(_, value)| !value.is_null()) {
            while row.len() <= left + place {
                row.push(json!(""));
            }
            row[left + place] = value.clone();
        }
    }
    Ok(())
}

fn updated(id: &str, range: String, rows: &[Vec<Value>]) -> Value {
    let cells: usize = rows.iter().map(|row| row.iter().filter(|v| !v.is_null()).count()).sum();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    json!({ "spreadsheetId": id, "updatedRange": range, "updatedRows": rows.len(), "updatedColumns": columns, "updatedCells": cells })
}

fn widest(rows: &[Vec<Value>]) -> usize {
    rows.iter().map(Vec::len).max().unwrap_or(1)
}

fn append(id: &str, sheet: &mut Spreadsheet, range: &str, body: &Value, entered: bool) -> Result<Value, Refused> {
    let (area, rows) = (area(sheet, range)?, values(body, entered)?);
    let filled = |row: &Vec<Value>| row.iter().any(|v| v != "");
    let tab = &mut sheet.tabs[area.tab];
    let top = tab.rows.iter().rposition(filled).map_or(area.top, |last| last + 1);
    let table = (top > area.top).then(|| a1(&tab.title, area.top, area.left, top - area.top, widest(&tab.rows).saturating_sub(area.left)));
    write(tab, top, area.left, &rows)?;
    let written = a1(&tab.title, top, area.left, rows.len(), widest(&rows));
    let mut answer = json!({ "spreadsheetId": id, "updates": updated(id, written, &rows) });
    if let Some(table) = table {
        answer["tableRange"] = table.into();
    }
    Ok(answer)
}

fn update(id: &str, sheet: &mut Spreadsheet, range: &str, body: &Value, entered: bool) -> Result<Value, Refused> {
    let (area, rows) = (area(sheet, range)?, values(body, entered)?);
    let tab = &mut sheet.tabs[area.tab];
    write(tab, area.top, area.left, &rows)?;
    let written = a1(&tab.title, area.top, area.left, rows.len(), widest(&rows));
    Ok(updated(id, written, &rows))
}

/// The cells of an area; trailing empty ones are left out, as Google does.
fn read(sheet: &Spreadsheet, area: &Area, formulas: bool) -> Vec<Vec<Value>> {
    let seen = |value: &Value| match value.get("formula") {
        Some(formula) if formulas => formula.clone(),
        Some(_) => json!("#ERROR!"),
        None => value.clone(),
    };
    let tab = &sheet.tabs[area.tab];
    let bottom = area.bottom.unwrap_or(usize::MAX).min(tab.rows.len());
    let row = |row: &Vec<Value>| {
        let right = area.right.unwrap_or(usize::MAX).min(row.len());
        let mut cells: Vec<Value> = row.iter().take(right).skip(area.left).map(seen).collect();
        while cells.last().is_some_and(|v| v == "") {
            cells.pop();
        }
        cells
    };
    tab.rows.iter().take(bottom).skip(area.top).map(row).collect()
}
