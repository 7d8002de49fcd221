//! The code lists that account properties draw on: countries, states, languages, currencies and so on.
//!
//! Which codes a company really has is its own matter; these are enough to be right and wrong against.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One code of a list.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) name: &'static str,
    /// The code that this one belongs to: the country of a state.
    pub(crate) parent: &'static str,
}

/// By list, then by code.
type Codes = HashMap<&'static str, HashMap<&'static str, Vec<Code>>>;

static CODES: LazyLock<Codes> = LazyLock::new(|| {
    let mut codes = Codes::new();
    for line in include_str!("tables/codes.tsv").lines() {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or("");
        let (list, code, name, parent) = (cell(), cell(), cell(), cell());
        codes.entry(list).or_default().entry(code).or_default().push(Code { name, parent });
    }
    codes
});

/// The code of a list; `parent` narrows it where one code text belongs to several parents.
pub(crate) fn find(list: &str, code: &str, parent: Option<&str>) -> Option<&'static Code> {
    CODES.get(list)?.get(code)?.iter().find(|found| parent.is_none_or(|parent| found.parent == parent))
}
