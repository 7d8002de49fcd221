//! What rows are called, and the row that a name means.

use files::nearest;
use toml::de::{DeArray, DeTable, DeValue};

use super::{Reader, Rows};
use crate::Property;

/// The name of a row as it is written, before anything of the file is judged.
pub(in crate::file) struct RowName {
    pub(super) name: String,
    /// The reading that the row belongs to; `None` for both.
    pub(super) reading: Option<String>,
}

/// The names of all rows that are written, those of lines among them.
pub(in crate::file) fn row_names(root: &DeTable<'_>) -> Vec<RowName> {
    let mut names = names_in(root, "");
    if let Some(lines) = root.get("lines").and_then(|lines| lines.get_ref().as_table())
        && let Some(name) = text(lines, "customcrm")
    {
        names.extend(names_in(lines, &format!("{name}.")));
    }
    names
}

fn names_in(table: &DeTable<'_>, prefix: &str) -> Vec<RowName> {
    let rows =
        table.get("property").and_then(|rows| rows.get_ref().as_array()).map_or(&[][..], DeArray::as_ref);
    rows.iter()
        .filter_map(|row| {
            let row = row.get_ref().as_table()?;
            let names = ["name", "customcrm", "exactonline"];
            let name = names.into_iter().find_map(|key| text(row, key))?;
            Some(RowName {
                name: format!("{prefix}{name}"),
                reading: text(row, "reading").map(str::to_owned),
            })
        })
        .collect()
}

/// The text of a key, or the first of its list.
fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    match table.get(key)?.get_ref() {
        DeValue::Array(list) => list.first()?.get_ref().as_str(),
        value => value.as_str(),
    }
}

/// The row that a name means.
pub(super) enum Found<'p> {
    /// It is there.
    Row(&'p Property),
    /// It rests, because the pair that it refers to is not kept.
    Rests,
    /// It is not there, or could not be read; that was told.
    Told,
}

impl<'p> Found<'p> {
    /// The row, where it is there.
    pub(super) const fn row(self) -> Option<&'p Property> {
        match self {
            Self::Row(row) => Some(row),
            Self::Rests | Self::Told => None,
        }
    }
}

impl Reader<'_, '_> {
    /// The row of this name. `prefix` is what stands before it in the names of lines' rows.
    pub(super) fn find<'p>(&mut self, name: &str, at: usize, prefix: &str, rows: &'p Rows) -> Found<'p> {
        let full = format!("{prefix}{name}");
        let is_it = |row: &&Property| row.name.as_str() == full;
        if let Some(row) = rows.properties.iter().find(is_it) {
            return Found::Row(row);
        }
        if rows.resting.iter().any(|row| is_it(&row)) {
            return Found::Rests;
        }
        if !self.written.contains(&full) {
            let known: Vec<&str> =
                self.written.iter().filter_map(|known| known.strip_prefix(prefix)).collect();
            let instead = match nearest(name, &known) {
                Some(nearest) => format!("did you mean {nearest:?}?"),
                None => "name a row by its `name`, or by its CustomCRM property".to_owned(),
            };
            self.report.refuse(at, format!("no row is called {name:?}: {instead}"));
        }
        Found::Told
    }
}
