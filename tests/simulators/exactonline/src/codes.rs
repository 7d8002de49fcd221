//! The code lists that properties draw on: countries, languages, currencies, units, VAT codes, states and so on.
//!
//! Which codes a company really has is its own matter; these are enough to be right and wrong against.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::edm::{Value, decimal};

/// One code of a list.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    /// What this code belongs to: the country of a state, the kind of a unit or of a VAT code.
    pub(crate) parent: &'static str,
    /// What the list tells beside: the fraction of a VAT code, the time of a unit, the short form of a title.
    pub(crate) detail: &'static str,
}

impl Code {
    /// What a property that mirrors `field` of this code holds.
    pub(crate) fn field(&self, field: &str) -> Value {
        match field {
            "Percentage" => decimal(self.detail).map_or(Value::Null, Value::Double),
            "Abbreviation" => Value::Text(self.detail.to_owned()),
            "Type" => Value::Text(self.parent.to_owned()),
            _ => Value::Text(self.name.to_owned()),
        }
    }
}

static LISTS: LazyLock<HashMap<&'static str, Vec<Code>>> = LazyLock::new(|| {
    let mut lists: HashMap<&'static str, Vec<Code>> = HashMap::new();
    for line in include_str!("tables/codes.tsv").lines() {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or("");
        let list = cell();
        let code = Code { code: cell(), name: cell(), parent: cell(), detail: cell() };
        lists.entry(list).or_default().push(code);
    }
    lists
});

/// All codes of a list, in its order.
pub(crate) fn list(name: &str) -> &'static [Code] {
    LISTS.get(name).map_or(&[], Vec::as_slice)
}

/// The code of a list; `parent` narrows it where one code text belongs to several parents.
pub(crate) fn find(name: &str, code: &str, parent: Option<&str>) -> Option<&'static Code> {
    list(name).iter().find(|found| found.code == code && parent.is_none_or(|parent| found.parent == parent))
}
