//! `deploy/telemetry.md`, read as data: each of its tables lists something that is emitted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file below `deploy`.
pub fn deployed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

/// The page.
#[derive(Debug)]
pub struct Page {
    text: String,
}

impl Page {
    /// Reads a page from its text.
    pub fn of(text: String) -> Self {
        Self { text }
    }

    /// The rows of the table under this heading: what stands between backticks in each of their cells.
    ///
    /// # Panics
    ///
    /// When there is no such heading.
    pub fn rows(&self, heading: &str) -> Vec<Vec<Vec<String>>> {
        let mut lines = self.text.lines().skip_while(|line| *line != heading);
        assert!(lines.next().is_some(), "the page has no heading {heading:?}");
        let table = lines.take_while(|line| !line.starts_with('#')).filter(|line| line.starts_with('|'));
        let cell = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        // The head and the line beneath it.
        table.skip(2).map(|row| row.trim_matches('|').split(" | ").map(cell).collect()).collect()
    }

    /// What is named in the first cell of each row, and what in the cell of this number.
    pub fn table(&self, heading: &str, column: usize) -> BTreeMap<String, BTreeSet<String>> {
        let rows = self.rows(heading).into_iter();
        rows.map(|row| (row[0][0].clone(), row[column].iter().cloned().collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_table_is_read_up_to_the_next_heading() {
        let page = Page::of("## A\n\nWords of `c`.\n\n| name | holds |\n| --- | --- |\n| `a` | `x`, `y` |\n| `b` | none |\n## B\n| `z` |".to_owned());
        let table = page.table("## A", 1);
        let told = |name: &str| table[name].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!((table.len(), told("a"), told("b")), (2, vec!["x", "y"], Vec::new()));
    }
}
