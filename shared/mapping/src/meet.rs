//! What pairs must agree on where they meet in one record, or go through one another.

use std::collections::BTreeMap;

use link::Flow;
use model::{EntityName, PairName, PropertyName, System};

use crate::{FileProblem, Lens, Lookups, Pair, Place, Property, Raise, Through};

/// Who writes a property of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writers {
    /// The system.
    pub system: System,
    /// The entity.
    pub entity: EntityName,
    /// The property, as the system calls it; of a line after the name of the list, as `Lines.Quantity`.
    pub property: String,
    /// The pairs that write it: the first is never set back by those after it.
    pub pairs: Vec<PairName>,
}

/// All that can't work between these pairs, which are all that are kept and are read in one reading.
///
/// Of pairs that keep one entity of Exact, each two say who writes first; of those that only set a property of
/// CustomCRM from Exact, one sets it; and what a pair takes from another's link is there.
pub fn meet(pairs: &[Pair]) -> Vec<FileProblem> {
    let mut problems = Vec::new();
    for (at, second) in pairs.iter().enumerate() {
        problems.extend(pairs[..at].iter().filter_map(|first| out_of_order(first, second)));
        problems.extend(through(second, pairs));
    }
    if problems.is_empty() {
        problems.extend(in_a_ring(pairs));
    }
    problems.extend(set_twice(pairs));
    problems
}

/// Who writes what, for each property that a pair writes.
pub fn writers(pairs: &[Pair]) -> Vec<Writers> {
    System::BOTH.into_iter().flat_map(|system| writers_of(system, pairs)).collect()
}

fn writers_of(system: System, pairs: &[Pair]) -> Vec<Writers> {
    let mut found: BTreeMap<(&EntityName, String), Vec<(&Pair, Flow)>> = BTreeMap::new();
    for pair in pairs {
        for (property, row) in written(pair, system) {
            found.entry((&pair.entities[system], property)).or_default().push((pair, row.flow));
        }
    }
    let writers = found.into_iter().map(|((entity, property), mut writers)| {
        writers.sort_by_key(|(pair, flow)| (yieldingness(*flow), yields_to(pair, pairs.iter())));
        let mut pairs: Vec<PairName> = writers.into_iter().map(|(pair, _)| pair.name.clone()).collect();
        // Rows that hold a line each of one text are one writer.
        pairs.dedup();
        Writers { system, entity: entity.clone(), property, pairs }
    });
    writers.collect()
}

/// The rows by which a pair writes into a system, each with what the system calls the property.
fn written(pair: &Pair, system: System) -> impl Iterator<Item = (String, &Property)> {
    let list = pair.lines.as_ref().map(|lines| lines.names[system].as_str());
    let own = pair.properties.iter().map(|row| (None, row));
    let of_lines = pair.lines.iter().flat_map(|lines| &lines.properties).map(move |row| (list, row));
    let rows = own.chain(of_lines).filter(move |(_, row)| !pair.is_membership && row.flow.reaches(system));
    rows.filter_map(move |(list, row)| {
        let name = row.names[system].as_ref()?;
        Some((list.map_or_else(|| name.clone(), |list| format!("{list}.{name}")), row))
    })
}

/// What only flows here is set back to what the other side holds; what follows never is.
const fn yieldingness(flow: Flow) -> u8 {
    match flow {
        Flow::To(_) => 0,
        Flow::Both => 1,
        Flow::Follow(_) => 2,
    }
}

/// How many of these pairs write before this one in the same records.
fn yields_to<'p>(pair: &Pair, others: impl Iterator<Item = &'p Pair>) -> usize {
    others.filter(|other| share(pair, other) && pair.yields_to.contains(&other.name)).count()
}

fn share(first: &Pair, second: &Pair) -> bool {
    first.entities.exactonline == second.entities.exactonline
}

/// Two pairs of one entity of Exact of which not exactly one yields to the other.
fn out_of_order(first: &Pair, second: &Pair) -> Option<FileProblem> {
    if !share(first, second) {
        return None;
    }
    let (one, other, entity) = (&first.name, &second.name, &first.entities.exactonline);
    let problem = match (first.yields_to.contains(other), second.yields_to.contains(one)) {
        (true, false) | (false, true) => return None,
        (false, false) => format!(
            "{one} and {other} both keep Exact's {entity}, and neither yields: add {one:?} to yields_to here, or {other:?} in {}",
            first.file,
            one = one.as_str(),
            other = other.as_str(),
        ),
        (true, true) => format!(
            "{one} and {other} yield to each other: leave {one} out of yields_to here, or {other} in {}",
            first.file
        ),
    };
    Some(second.place.problem(&second.file, problem))
}

/// Pairs of which each two are in order, and which still have no first one.
fn in_a_ring(pairs: &[Pair]) -> Option<FileProblem> {
    let mut left: Vec<&Pair> = pairs.iter().collect();
    while let Some(free) = left.iter().position(|pair| yields_to(pair, left.iter().copied()) == 0) {
        left.remove(free);
    }
    let last = left.last()?;
    let names: Vec<&str> = left.iter().map(|pair| pair.name.as_str()).collect();
    let problem = format!(
        "{} yield to one another in a ring, so none writes first: leave one of them out of yields_to of another",
        names.join(", ")
    );
    Some(last.place.problem(&last.file, problem))
}

/// Properties of CustomCRM that several pairs only set from Exact: each would set back what the other has set.
fn set_twice(pairs: &[Pair]) -> Vec<FileProblem> {
    let mut setters: BTreeMap<(&EntityName, String), Vec<(&Pair, Place)>> = BTreeMap::new();
    for pair in pairs {
        for (property, row) in written(pair, System::CustomCrm) {
            if matches!(row.flow, Flow::To(_)) {
                setters.entry((&pair.entities.customcrm, property)).or_default().push((pair, row.place));
            }
        }
    }
    let mut problems = Vec::new();
    for ((entity, property), mut setters) in setters {
        setters.sort_by_key(|(pair, _)| yields_to(pair, pairs.iter()));
        let mut setters = setters.into_iter();
        let Some((first, at)) = setters.next() else { continue };
        problems.extend(setters.map(|(pair, place)| {
            place.problem(&pair.file, format!(
                "{} sets {property:?} of CustomCRM's {entity} too ({}:{}), and the two would undo one another: write follow = true here",
                first.name, first.file, at.line
            ))
        }));
    }
    problems
}

/// What a pair takes from another's link and can't be had there.
fn through(pair: &Pair, pairs: &[Pair]) -> Vec<FileProblem> {
    let adopts =
        pair.adopts.as_ref().and_then(|adopts| Some((adopts.place, unfit_to_adopt(pair, adopts, pairs)?)));
    let stand_in = pair.stand_in.as_ref().and_then(|stand_in| {
        let through = stand_in.inherits.as_ref()?;
        let other = named(&through.pair, pairs);
        Some((through.place, row_of(other, &through.pair, &stand_in.property).err()?))
    });
    let raises =
        pair.raises.as_ref().and_then(|raises| Some((raises.place, unfit_to_raise(pair, raises, pairs)?)));
    let found = adopts.into_iter().chain(stand_in).chain(raises);
    found.map(|(place, problem)| place.problem(&pair.file, problem)).collect()
}

fn named<'p>(name: &PairName, pairs: &'p [Pair]) -> Option<&'p Pair> {
    pairs.iter().find(|pair| pair.name == *name)
}

fn unfit_to_adopt(pair: &Pair, adopts: &Through, pairs: &[Pair]) -> Option<String> {
    let Some(other) = named(&adopts.pair, pairs) else { return Some(not_kept(&adopts.pair)) };
    (!share(pair, other)).then(|| {
        format!(
            "{} keeps Exact's {}, and a record of those can't be taken over as one of {}: name a pair of {}",
            other.name, other.entities.exactonline, pair.entities.exactonline, pair.entities.exactonline
        )
    })
}

fn unfit_to_raise(pair: &Pair, raises: &Raise, pairs: &[Pair]) -> Option<String> {
    let Lens::Reference { pair: through } = &pair.property(&raises.reference)?.lens else { return None };
    let row = match row_of(named(through, pairs), through, &raises.property) {
        Ok(row) => row,
        Err(problem) => return Some(problem),
    };
    let problem = row.lens.put(System::ExactOnline, &raises.value, &Lookups::default()).err()?;
    Some(format!(
        "{:?} of {through} can't be given this value: with it the row {problem}",
        raises.property.as_str()
    ))
}

/// The row of this name in the other pair, which must write it in Exact.
fn row_of<'p>(other: Option<&'p Pair>, name: &PairName, row: &PropertyName) -> Result<&'p Property, String> {
    let other = other.ok_or_else(|| not_kept(name))?;
    let found = other.property(row).filter(|row| row.flow.reaches(System::ExactOnline));
    found.ok_or_else(|| {
        format!("{name} has no row {:?} that writes to Exact: name one that it has", row.as_str())
    })
}

fn not_kept(name: &PairName) -> String {
    format!("the pair {:?} is not kept by this deployment: add its file, or leave this out", name.as_str())
}
