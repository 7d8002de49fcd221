//! By what a record finds its partner in its pair.

use link::Side;
use mapping::{KeyRows, Lens, MatchKey, Pair, Through};
use model::{LinkId, PropertyName, Reference, System, Value};

/// The name under which a view holds the link of another pair that a record leads to. It has no row in the pair's file,
/// so it is neither compared nor written; `None` for what can't be a name.
pub fn through_row(through: &Through) -> Option<PropertyName> {
    PropertyName::parse(&through.reference).ok()
}

/// The match keys of a side, the strongest first.
///
/// The link of another pair that both records belong to comes before all others; a record of CustomCRM that adopts
/// the partner of that link is found by nothing else. A membership knows the people whom its first row of that kind
/// names.
pub(super) fn match_keys(pair: &Pair, system: System, side: &Side) -> Vec<MatchKey> {
    if pair.is_membership {
        return person(pair, side).into_iter().collect();
    }
    let ordinary = || pair.match_keys(&side.view, side.stand_in.as_deref());
    let row = pair.adopts.as_ref().and_then(through_row);
    let Some((row, value)) = row.and_then(|row| side.view.get(&row).map(|value| (row, value))) else {
        return ordinary();
    };
    let shared = linked(value).map(|link| MatchKey { rows: KeyRows(vec![row]), value: link.to_string() });
    match system {
        System::CustomCrm if !value.is_empty() => shared.into_iter().collect(),
        System::CustomCrm | System::ExactOnline => shared.into_iter().chain(ordinary()).collect(),
    }
}

fn person(pair: &Pair, side: &Side) -> Option<MatchKey> {
    let row = pair.properties.iter().find(|row| row.lens == Lens::Person)?;
    match side.view.get(&row.name)? {
        Value::Reference(Reference::Person(email)) => {
            Some(MatchKey { rows: KeyRows(vec![row.name.clone()]), value: email.clone() })
        }
        _ => None,
    }
}

/// The link that a value stands for.
pub(super) const fn linked(value: &Value) -> Option<&LinkId> {
    match value {
        Value::Reference(Reference::Linked(link)) => Some(link),
        _ => None,
    }
}
