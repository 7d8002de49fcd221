//! Other records, and people.

use model::{Content, LinkId, PairName, RecordId, Reference, System, UserId, Value};

use super::LensProblem;
use crate::Lookups;

pub(super) fn get(
    system: System,
    id: &str,
    pair: &PairName,
    lookups: &Lookups,
) -> Result<Value, LensProblem> {
    let record = RecordId::parse(id).map_err(|_| LensProblem::Id)?;
    let key = (pair.clone(), system, record);
    let reference = match lookups.links.get(&key) {
        Some(link) => Reference::Linked(link.clone()),
        None => Reference::Unlinked { pair: key.0, system, record: key.2 },
    };
    Ok(Value::Reference(reference))
}

pub(super) fn put(
    system: System,
    link: &LinkId,
    pair: &PairName,
    lookups: &Lookups,
) -> Result<Content, LensProblem> {
    lookups
        .records
        .get(&(pair.clone(), link.clone(), system))
        .map(|record| Content::from(record.as_str()))
        .ok_or(LensProblem::Unresolved)
}

pub(super) fn get_person(system: System, id: &str, lookups: &Lookups) -> Result<Value, LensProblem> {
    let user = UserId::parse(id).map_err(|_| LensProblem::Id)?;
    let reference = match lookups.people[system].get(&user) {
        Some(email) if lookups.is_known_person(email) => Reference::Person(email.clone()),
        _ => Reference::UnknownPerson { system, user: id.to_owned() },
    };
    Ok(Value::Reference(reference))
}

pub(super) fn put_person(system: System, email: &str, lookups: &Lookups) -> Result<Content, LensProblem> {
    // Somebody whom only one directory knows would be read back as unknown.
    let known = lookups.user(system, email).filter(|_| lookups.is_known_person(email));
    let user = known.ok_or(LensProblem::UnknownPerson)?;
    Ok(Content::from(user.as_str()))
}
