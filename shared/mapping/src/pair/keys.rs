//! By what a record is found.

use model::{Content, Properties, PropertyName, Reference, System, Value, View};

use super::Pair;

/// Rows that together make up a match key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRows(pub Vec<PropertyName>);

/// A normalised value by which a partner is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatchKey {
    /// The rows that it is made of, the first first.
    pub rows: KeyRows,
    /// Their values, in the form that is compared: lower case, without blanks and punctuation of codes.
    pub value: String,
}

impl KeyRows {
    /// What the key is called: its rows, joined.
    pub fn name(&self) -> String {
        self.0.iter().map(PropertyName::as_str).collect::<Vec<_>>().join("+")
    }
}

impl MatchKey {
    /// What the key is called: its rows, joined.
    pub fn name(&self) -> String {
        self.rows.name()
    }
}

impl Pair {
    /// The match keys that a record carries, the strongest first. `stand_in` is what stands for its empty property.
    pub fn match_keys(&self, view: &View, stand_in: Option<&str>) -> Vec<MatchKey> {
        let key = |rows: &KeyRows| {
            let values = rows.0.iter().map(|row| self.key_value(row, view, stand_in));
            let value = values.collect::<Option<Vec<String>>>()?.join(" ");
            Some(MatchKey { rows: rows.clone(), value })
        };
        self.match_keys.iter().filter_map(key).collect()
    }

    fn key_value(&self, row: &PropertyName, view: &View, stand_in: Option<&str>) -> Option<String> {
        match view.get(row)? {
            Value::Text(text) | Value::StandIn(text) => normal(text),
            Value::Decimal(number) => Some(number.normalize().to_string()),
            Value::Date(date) => Some(date.to_string()),
            Value::Reference(Reference::Linked(link)) => Some(link.to_string()),
            Value::Reference(Reference::Person(email)) => normal(email),
            Value::Empty if self.has_stand_in(row) => normal(stand_in?),
            _ => None,
        }
    }

    fn has_stand_in(&self, row: &PropertyName) -> bool {
        self.stand_in.as_ref().is_some_and(|stand_in| stand_in.property == *row)
    }

    /// What a record of CustomCRM has to stand in for its empty property; `None` in Exact, where none is needed.
    pub fn stand_in(&self, system: System, properties: &Properties) -> Option<String> {
        let stand_in = self.stand_in.as_ref().filter(|_| system == System::CustomCrm)?;
        stand_in.from.iter().find_map(|name| match properties.get(name)? {
            Content::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Content::Number(number) => Some(number.normalize().to_string()),
            _ => None,
        })
    }
}

/// The form in which two keys are compared; `None` when nothing is left to compare.
fn normal(text: &str) -> Option<String> {
    let is_address = text.contains('@');
    let kept: String = text
        .chars()
        .filter(|c| if is_address { !c.is_whitespace() } else { c.is_alphanumeric() })
        .flat_map(char::to_lowercase)
        .collect();
    (!kept.is_empty()).then_some(kept)
}
