//! A CSV file with a header, line by line.

use super::DataProblem;

/// A file as lines of cells under known columns.
pub(super) struct Table<'a> {
    file: &'a str,
    pub(super) lines: Vec<Line<'a>>,
    /// Whether the header is right, so that what is missing is really missing.
    pub(super) is_whole: bool,
}

/// One line below the header.
pub(super) struct Line<'a> {
    file: &'a str,
    /// Where it stands in the file, from 1.
    pub(super) number: u64,
    cells: Vec<(&'a str, String)>,
}

/// The text of a cell, never empty.
pub(super) struct Cell<'a>(pub(super) &'a str);

impl<'a> Table<'a> {
    /// Reads a file that may have the columns `known` and must have those in `required`.
    pub(super) fn read(
        file: &'a str,
        text: &str,
        known: &[&'a str],
        required: &[&str],
        problems: &mut Vec<DataProblem>,
    ) -> Self {
        let mut table = Self { file, lines: Vec::new(), is_whole: true };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header: Vec<Option<&str>> = match reader.headers() {
            Ok(header) => header
                .iter()
                .map(|name| {
                    let column = known.iter().copied().find(|known| *known == name);
                    if column.is_none() {
                        let what =
                            format!("is no column of this file: remove it; known are {}", known.join(", "));
                        problems.push(table.at(Some(1), name, what));
                    }
                    column
                })
                .collect(),
            Err(error) => {
                problems.push(table.at(None, "", unreadable(&error)));
                table.is_whole = false;
                return table;
            }
        };
        for column in required.iter().filter(|column| !header.contains(&Some(**column))) {
            table.is_whole = false;
            problems.push(table.at(Some(1), column, "is missing: add the column".to_owned()));
        }
        if !table.is_whole {
            return table;
        }
        for record in reader.into_records() {
            match record {
                Ok(record) => {
                    let cells = header.iter().zip(&record).filter_map(|(column, cell)| {
                        Some(((*column)?, cell.to_owned())).filter(|(_, cell)| !cell.is_empty())
                    });
                    let number = record.position().map_or(0, csv::Position::line);
                    table.lines.push(Line { file, number, cells: cells.collect() });
                }
                Err(error) => {
                    let line = error.position().map(csv::Position::line);
                    problems.push(table.at(line, "", unreadable(&error)));
                }
            }
        }
        table
    }

    /// A problem of the whole file.
    pub(super) fn problem(&self, what: String) -> DataProblem {
        self.at(None, "", what)
    }

    fn at(&self, line: Option<u64>, column: &str, what: String) -> DataProblem {
        DataProblem { file: self.file.to_owned(), line, column: column.to_owned(), what }
    }
}

impl Line<'_> {
    /// What stands in a column, if anything does.
    pub(super) fn cell(&self, column: &str) -> Option<Cell<'_>> {
        self.cells.iter().find(|(name, _)| *name == column).map(|(_, text)| Cell(text))
    }

    /// The same as text.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        self.cell(column).map(|Cell(text)| text)
    }

    /// A problem in this line.
    pub(super) fn problem(&self, column: &str, what: impl Into<String>) -> DataProblem {
        DataProblem {
            file: self.file.to_owned(),
            line: Some(self.number),
            column: column.to_owned(),
            what: what.into(),
        }
    }
}

/// The reader's own words may quote the file: only what kind of trouble it is goes on.
fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "has {len} cells where the header has {expected_len}: put a text that holds a comma into double quotes"
        ),
        _ => "is not comma-separated text: export it as CSV in UTF-8".to_owned(),
    }
}
