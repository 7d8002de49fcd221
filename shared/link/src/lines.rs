//! The lines of a document in a view: which names are whose, and all cells of a line at once.
//!
//! How the lines of the two sides find one another is in [`ties`].

mod fit;
mod partners;
pub(crate) mod ties;
mod unsettled;

use std::collections::{BTreeMap, BTreeSet};

use model::{LineKey, PropertyName, System, Value, View};

use crate::{Link, Policy, Rule};

/// A line is there.
pub(crate) static THERE: Value = Value::Boolean(true);
/// A line is not there, or not any more.
pub(crate) static GONE: Value = Value::Empty;

/// The rows of a pair's lines.
pub(crate) struct Lines<'p> {
    /// The row that says that a line is there.
    pub(crate) row: &'p PropertyName,
    /// The rows of a line's properties, in the order of their names.
    pub(crate) rows: Vec<Row<'p>>,
    /// Those by which a line finds its partner, the strongest first, by their places in `rows`.
    pub(crate) match_by: Vec<usize>,
}

/// The row of a line's property.
pub(crate) struct Row<'p> {
    /// Its name.
    pub(crate) name: &'p PropertyName,
    /// What follows the dot in it.
    cell: &'p str,
    /// Its rule.
    pub(crate) rule: Rule,
}

/// What something holds of one line.
#[derive(Clone)]
pub(crate) struct Cells<'a, T> {
    /// What it holds of the line's being there.
    pub(crate) there: Option<&'a T>,
    /// What it holds of the line's properties, in the order of the rows.
    pub(crate) cells: Vec<Option<&'a T>>,
}

/// What something holds of lines, by their keys.
pub(crate) type Table<'a, T> = BTreeMap<&'a str, Cells<'a, T>>;

impl<'p> Lines<'p> {
    /// The lines of a pair; `None` for a pair of plain records.
    pub(crate) fn of(policy: &'p Policy) -> Option<Self> {
        let lines = policy.lines.as_ref()?;
        let row = |(name, rule): (&'p PropertyName, &Rule)| {
            let cell = name.as_str().strip_prefix(lines.row.as_str())?.strip_prefix('.')?;
            Some(Row { name, cell, rule: *rule })
        };
        let rows: Vec<Row<'p>> = policy.rules.iter().filter_map(row).collect();
        let place = |wanted: &PropertyName| rows.iter().position(|row| row.name == wanted);
        let match_by = lines.match_by.iter().filter_map(place).collect();
        Some(Self { row: &lines.row, rows, match_by })
    }

    /// The line that a name in a view speaks of, and the property: nothing where it tells that the line is there.
    fn split<'n>(&self, name: &'n PropertyName) -> Option<(&'n str, Option<&'n str>)> {
        let after = name.as_str().strip_prefix(self.row.as_str())?.strip_prefix('[')?;
        let (line, cell) = after.rsplit_once(']')?;
        if cell.is_empty() { Some((line, None)) } else { Some((line, Some(cell.strip_prefix('.')?))) }
    }

    /// Whether a name tells that a line is there.
    pub(crate) fn is_presence(&self, name: &PropertyName) -> bool {
        self.split(name).is_some_and(|(_, cell)| cell.is_none())
    }

    /// Whether a line finds its partner by this cell.
    pub(crate) fn is_match_cell(&self, name: &PropertyName) -> bool {
        let Some((_, Some(cell))) = self.split(name) else { return false };
        self.match_by.iter().any(|place| self.rows[*place].cell == cell)
    }

    /// The name that tells whether a line is there.
    pub(crate) fn there(&self, line: &LineKey) -> PropertyName {
        PropertyName::of_line(self.row, line)
    }

    /// Whether a view has a line.
    pub(crate) fn has(&self, view: &View, line: &LineKey) -> bool {
        view.get(&self.there(line)) == Some(&THERE)
    }

    /// All cells that there are of lines, by line.
    pub(crate) fn table<'a, T>(&self, of: &'a BTreeMap<PropertyName, T>) -> Table<'a, T> {
        let mut table = Table::new();
        for (name, value) in of {
            let Some((line, cell)) = self.split(name) else { continue };
            let cells = table
                .entry(line)
                .or_insert_with(|| Cells { there: None, cells: vec![None; self.rows.len()] });
            cells.put(self, cell, value);
        }
        table
    }

    /// The cells that there are of these lines.
    pub(crate) fn table_of<'a, T>(
        &self,
        of: &'a BTreeMap<PropertyName, T>,
        keys: &BTreeSet<&'a LineKey>,
    ) -> Table<'a, T> {
        let mut table = Table::new();
        for key in keys {
            let mut cells = Cells { there: None, cells: vec![None; self.rows.len()] };
            let mut is_any = false;
            for (cell, value) in self.of_line(of, key) {
                is_any = true;
                cells.put(self, cell, value);
            }
            if is_any {
                table.insert(key.as_str(), cells);
            }
        }
        table
    }

    /// The cells of how a side looks, of these lines.
    pub(crate) fn seen_of<'a>(
        &self,
        link: &'a Link,
        system: System,
        keys: &BTreeSet<&'a LineKey>,
    ) -> Table<'a, Value> {
        link.sides[system].as_ref().map_or_else(Table::new, |side| self.table_of(&side.view, keys))
    }

    /// The cells of what is in flight to a side.
    pub(crate) fn in_flight<'a>(&self, link: &'a Link, system: System) -> Table<'a, Value> {
        link.pending[system].sent().map_or_else(Table::new, |sent| self.table(sent))
    }

    /// The cells of what a side has refused.
    fn refused<'a>(&self, link: &'a Link, system: System) -> Table<'a, Value> {
        link.rejected[system].as_ref().map_or_else(Table::new, |refused| self.table(&refused.values))
    }

    /// The cells of how a side looks.
    pub(crate) fn seen<'a>(&self, link: &'a Link, system: System) -> Table<'a, Value> {
        link.sides[system].as_ref().map_or_else(Table::new, |side| self.table(&side.view))
    }

    /// Whether a line may not yet find its partner, because what it would be known by is a reference that only one
    /// side can resolve.
    pub(crate) fn is_unresolved(&self, line: Option<&Cells<'_, Value>>) -> bool {
        let cell =
            |place: &usize| line.is_some_and(|line| line.cells[*place].is_some_and(Value::is_unresolved));
        self.match_by.iter().any(cell)
    }

    /// Takes out of a view what it holds of lines that are not there.
    pub(crate) fn drop_loose_cells(&self, view: &mut View) {
        // That a line is there comes before its cells in the order of names.
        let mut there: Option<String> = None;
        view.retain(|name, value| match self.split(name) {
            Some((line, None)) => {
                there = (*value == THERE).then(|| line.to_owned());
                true
            }
            Some((line, Some(_))) => there.as_deref() == Some(line),
            None => true,
        });
    }

    /// What a line has there, by the property; the first is that it is there.
    fn of_line<'a, T>(
        &self,
        of: &'a BTreeMap<PropertyName, T>,
        line: &LineKey,
    ) -> impl Iterator<Item = (Option<&'a str>, &'a T)> {
        let first = self.there(line);
        let after = first.as_str().len();
        of.range(&first..)
            .take_while(move |(name, _)| name.as_str().starts_with(first.as_str()))
            .map(move |(name, value)| (name.as_str()[after..].strip_prefix('.'), value))
    }

    /// The names that speak of a line.
    fn names_of<T>(&self, of: &BTreeMap<PropertyName, T>, line: &LineKey) -> Vec<PropertyName> {
        let first = self.there(line);
        of.range(&first..)
            .map(|(name, _)| name)
            .take_while(|name| name.as_str().starts_with(first.as_str()))
            .filter(|name| self.split(name).is_some_and(|(key, _)| key == line.as_str()))
            .cloned()
            .collect()
    }
}

impl<'a, T> Cells<'a, T> {
    fn put(&mut self, lines: &Lines<'_>, cell: Option<&str>, value: &'a T) {
        match cell.map(|cell| lines.rows.binary_search_by(|row| row.cell.cmp(cell))) {
            None => self.there = Some(value),
            Some(Ok(place)) => self.cells[place] = Some(value),
            Some(Err(_)) => {}
        }
    }
}

impl Cells<'_, Value> {
    /// Whether the line is there.
    pub(crate) fn is_there(&self) -> bool {
        self.there == Some(&THERE)
    }
}

/// Whether a table has a line.
pub(crate) fn is_there(table: &Table<'_, Value>, line: &LineKey) -> bool {
    table.get(line.as_str()).is_some_and(Cells::is_there)
}
