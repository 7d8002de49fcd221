//! Whether both sides agree, as pure functions over what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use mapping::{MatchKey, Pair};
use model::{PropertyName, RecordId, System, SystemPair, Value, View};

#[cfg(test)]
mod tests;

/// One thing on which the two sides do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Partners hold different values.
    Property {
        /// What a person knows the record by.
        name: String,
        /// The row.
        property: PropertyName,
        /// What each side holds.
        values: Box<SystemPair<Value>>,
    },
    /// A record has no partner.
    Alone {
        /// Where it is.
        system: System,
        /// What a person knows it by.
        name: String,
        /// Why, where it is known.
        why: Option<String>,
    },
    /// Records of one system carry the same match key.
    Duplicate {
        /// Where they are.
        system: System,
        /// The key's row.
        key: String,
        /// What a person knows them by.
        names: Vec<String>,
    },
    /// A record is the partner of two others, or of one that is not there.
    Tied {
        /// Where it is, or was.
        system: System,
        /// Which.
        record: RecordId,
        /// What is wrong.
        what: &'static str,
    },
    /// A person's edit that never showed on the other side.
    Lost {
        /// Where it was made.
        system: System,
        /// Of what.
        name: String,
        /// What it changed.
        properties: Vec<PropertyName>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property { name, property, values } => write!(
                f,
                "{name}: {property} is \"{}\" in customcrm and \"{}\" in exactonline",
                values.customcrm, values.exactonline
            ),
            Self::Alone { system, name, why: None } => write!(f, "{name}: only in {system}"),
            Self::Alone { system, name, why: Some(why) } => write!(f, "{name}: only in {system}: {why}"),
            Self::Duplicate { system, key, names } => {
                write!(f, "{}: share one {key} in {system}", names.join(" and "))
            }
            Self::Tied { system, record, what } => write!(f, "{system} record {record}: {what}"),
            Self::Lost { system, name, properties } => {
                let properties: Vec<&str> = properties.iter().map(PropertyName::as_str).collect();
                write!(f, "{name}: the edit of {} in {system} never arrived", properties.join(", "))
            }
        }
    }
}

/// What both sides hold, seen through the pair, and what is tied to what.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// The records of each side.
    pub(crate) views: SystemPair<BTreeMap<RecordId, View>>,
    /// The partners.
    pub(crate) partners: Vec<SystemPair<RecordId>>,
    /// Why a record has no partner, where it is known.
    pub(crate) alone: BTreeMap<(System, RecordId), String>,
}

/// Everything on which the sides do not agree.
pub(crate) fn differences(pair: &Pair, holdings: &Holdings) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut tied = SystemPair::<BTreeSet<&RecordId>>::default();
    for partners in &holdings.partners {
        for system in System::BOTH {
            let record = &partners[system];
            let what = if !tied[system].insert(record) {
                "is the partner of two records"
            } else if !holdings.views[system].contains_key(record) {
                "is linked and is not there"
            } else {
                continue;
            };
            found.push(Difference::Tied { system, record: record.clone(), what });
        }
        let views = (
            holdings.views.customcrm.get(&partners.customcrm),
            holdings.views.exactonline.get(&partners.exactonline),
        );
        if let (Some(customcrm), Some(exactonline)) = views {
            found.extend(unequal(pair, customcrm, exactonline));
        }
    }
    for system in System::BOTH {
        for (record, view) in &holdings.views[system] {
            if !tied[system].contains(record) {
                let why = holdings.alone.get(&(system, record.clone())).cloned();
                found.push(Difference::Alone { system, name: name_of(pair, view), why });
            }
        }
        found.extend(duplicates(pair, system, &holdings.views[system]));
    }
    found
}

/// The properties on which two partners do not agree. A reference that only one system can resolve can't be compared.
fn unequal(pair: &Pair, customcrm: &View, exactonline: &View) -> Vec<Difference> {
    let value = |view: &View, property| view.get(property).cloned().unwrap_or(Value::Empty);
    pair.properties
        .iter()
        .filter_map(|row| {
            let values = SystemPair {
                customcrm: value(customcrm, &row.name),
                exactonline: value(exactonline, &row.name),
            };
            let unresolved = System::BOTH.into_iter().any(|system| values[system].is_unresolved());
            (!unresolved && values.customcrm != values.exactonline).then(|| Difference::Property {
                name: name_of(pair, customcrm),
                property: row.name.clone(),
                values: Box::new(values),
            })
        })
        .collect()
}

fn duplicates(pair: &Pair, system: System, views: &BTreeMap<RecordId, View>) -> Vec<Difference> {
    let mut holders: BTreeMap<MatchKey, Vec<&View>> = BTreeMap::new();
    for view in views.values() {
        for key in pair.match_keys(view, None) {
            holders.entry(key).or_default().push(view);
        }
    }
    holders
        .into_iter()
        .filter(|(_, holders)| holders.len() > 1)
        .map(|(key, holders)| Difference::Duplicate {
            system,
            key: key.name(),
            names: holders.into_iter().map(|view| name_of(pair, view)).collect(),
        })
        .collect()
}

/// What a person knows a record by.
pub(crate) fn name_of(pair: &Pair, view: &View) -> String {
    view.get(&pair.search_own).map_or_else(|| "(without a name)".to_owned(), ToString::to_string)
}

/// The smallest of the values that is not below `percent` per cent of them; `None` of none.
pub(crate) fn percentile(values: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// The sum of all samples of a metric, in the text format of Prometheus, whose labels hold all of these.
pub(crate) fn metric_sum(text: &str, metric: &str, labels: &[(&str, &str)]) -> u64 {
    let sample = |line: &str| {
        let rest = line.strip_prefix(metric)?;
        let (held, value) = rest.strip_prefix('{')?.rsplit_once("} ")?;
        let all = labels
            .iter()
            .all(|(name, value)| held.split(',').any(|label| label == format!("{name}=\"{value}\"")));
        if all { value.trim().parse::<u64>().ok() } else { None }
    };
    text.lines().filter_map(sample).sum()
}
