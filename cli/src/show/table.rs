//! Tables and lists of fields.

use serde_json::Value;

use super::{at, list};

/// A cell is cut here: no id is longer.
const WIDEST: usize = 64;

/// Titles, and where in a row their values are.
pub type Columns = [(&'static str, &'static str)];

/// A table of the list under a name in an answer.
pub fn table(answer: &Value, name: &str, columns: &Columns) -> String {
    let rows = list(answer, name)
        .iter()
        .map(|row| columns.iter().map(|(_, pointer)| at(row, pointer)).collect())
        .collect();
    match list(answer, name) {
        [] => format!("no {}", name.replace('_', " ")),
        _ => aligned(columns.iter().map(|(title, _)| title.to_string()).collect(), rows),
    }
}

pub fn aligned(titles: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(titles)
        .chain(rows)
        .map(|row| row.iter().map(|cell| cut(cell)).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Those of the fields that are present, one a line.
pub fn fields(value: &Value, named: &Columns) -> String {
    let there: Vec<(&str, String)> = named
        .iter()
        .map(|(title, pointer)| (*title, at(value, pointer)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let width = there.iter().map(|(title, _)| title.len()).max().unwrap_or(0);
    there
        .iter()
        .map(|(title, text)| format!("{title:<width$}  {text}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn cut(cell: &str) -> String {
    if cell.chars().count() <= WIDEST {
        return cell.to_string();
    }
    cell.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned_and_long_cells_cut() {
        let answer = json!({"labels": [{"id": "INBOX", "n": 1}, {"id": "a", "n": "x".repeat(70)}]});
        let shown = table(&answer, "labels", &[("ID", "/id"), ("N", "/n")]);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!((lines[0], lines[1]), ("ID     N", "INBOX  1"));
        assert_eq!(lines[2], format!("a      {}…", "x".repeat(63)));
        assert_eq!(table(&json!({}), "labels", &[("ID", "/id")]), "no labels");
    }
}
