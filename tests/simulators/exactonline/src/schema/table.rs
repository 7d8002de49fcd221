//! Reads a table of properties. The words of its fourth column:
//!
//! - `key`, `mandatory`, `unless=P` (mandatory unless P is filled), `not-null`, `unique`, `assigned`
//! - `max=N` (characters), `at-most=N`, `padded=N`, `of=A,B`, `list=L` (a code list), `within=P`, `lenient`
//! - `ref=T` (a record of table T), `owner` (that record owns this one), `lines=T` (it lists
//!   the records of table T that this one owns)
//! - `default=JSON`, `take=P:F` (property F of what P names), `same=P`, `today`: the first that is something
//! - `mirror=P:F`, `when=P:TEXT`, `named-by=P:F`, `join=P,Q`, `base-price`: derived when read
//! - `server=W`: filled when stored
//! - `in=regular,bulk,sync`: where it is shown; `filter`: it satisfies a mandatory filter; `tolerated`
//! - `en=`, `nl=`: its name in messages, with `_` for a blank

use std::collections::HashMap;

use super::{Access, Derived, Initial, Labels, Property, ServerValue, Shape, Shown};
use crate::edm::{Edm, decimal};

/// The shape that the text of a table tells, of no stored records.
pub(super) fn read(name: &'static str, text: &str, labels: Labels) -> Shape {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let positions: HashMap<String, usize> =
        lines.iter().enumerate().map(|(position, cells)| (cells[0].to_owned(), position)).collect();
    let properties: Vec<Property> = lines.iter().map(|cells| property(cells, &positions)).collect();
    let key = properties.iter().position(|property| property.key).expect("every table names its key");
    let owner = properties.iter().position(|property| property.owner);
    Shape { name, properties, key, owner, labels, deleted_type: None, stored: false, positions }
}

fn property(cells: &[&str], positions: &HashMap<String, usize>) -> Property {
    let mut property = Property {
        name: cells[0].to_owned(),
        edm: Edm::named(cells[1]).expect("the tables hold known Edm types"),
        access: match cells[2] {
            "rw" => Access::Always,
            "c" => Access::CreateOnly,
            _ => Access::Never,
        },
        shown: Shown::EVERYWHERE,
        key: false,
        mandatory: false,
        unless: None,
        nullable: true,
        satisfies_mandatory_filter: false,
        unique: false,
        assigned: false,
        tolerated: false,
        lenient: false,
        max_length: None,
        at_most: None,
        padded: None,
        one_of: Vec::new(),
        reference: None,
        owner: false,
        lines: None,
        list: None,
        within: None,
        derived: None,
        server: None,
        initial: Vec::new(),
        english: cells[0].to_owned(),
        dutch: cells[0].to_owned(),
    };
    for rule in cells.get(3).unwrap_or(&"").split_whitespace() {
        let (word, argument) = rule.split_once('=').unwrap_or((rule, ""));
        apply(&mut property, word, argument, positions);
    }
    property
}

fn apply(property: &mut Property, word: &str, argument: &str, positions: &HashMap<String, usize>) {
    let number = || argument.parse().expect("lengths in the tables are numbers");
    let at = |name: &str| *positions.get(name).expect("rules name properties of their own table");
    match word {
        "key" => property.key = true,
        "mandatory" => property.mandatory = true,
        "unless" => property.unless = Some(at(argument)),
        "not-null" => property.nullable = false,
        "filter" => property.satisfies_mandatory_filter = true,
        "unique" => property.unique = true,
        "assigned" => property.assigned = true,
        "tolerated" => property.tolerated = true,
        "lenient" => property.lenient = true,
        "owner" => property.owner = true,
        "max" => property.max_length = Some(number()),
        "padded" => property.padded = Some(number()),
        "at-most" => property.at_most = Some(decimal(argument).expect("bounds in the tables are numbers")),
        "of" => property.one_of = argument.split(',').map(str::to_owned).collect(),
        "lines" => property.lines = Some(argument.to_owned()),
        "ref" => property.reference = Some(argument.to_owned()),
        "list" => property.list = Some(argument.to_owned()),
        "within" => property.within = Some(at(argument)),
        "in" => property.shown = shown(argument),
        "en" => property.english = argument.replace('_', " "),
        "nl" => property.dutch = argument.replace('_', " "),
        "server" => property.server = Some(server_value(argument)),
        "default" | "take" | "same" | "today" => property.initial.push(initial(word, argument, &at)),
        _ => property.derived = Some(derived(word, argument, &at)),
    }
}

fn initial(word: &str, argument: &str, at: &impl Fn(&str) -> usize) -> Initial {
    match word {
        "default" => Initial::Constant(argument.to_owned()),
        "same" => Initial::Same(at(argument)),
        "today" => Initial::Today,
        _ => {
            let (source, field) = two(argument);
            Initial::Taken { source: at(source), field: field.to_owned() }
        }
    }
}

fn derived(word: &str, argument: &str, at: &impl Fn(&str) -> usize) -> Derived {
    match word {
        "join" => return Derived::Joined(argument.split(',').map(at).collect()),
        "base-price" => return Derived::BasePrice,
        _ => {}
    }
    let (source, rest) = two(argument);
    let (source, rest) = (at(source), rest.to_owned());
    match word {
        "mirror" => Derived::Mirror { source, field: rest },
        "when" => Derived::Equals { source, text: rest },
        "named-by" => Derived::NamedBy { source, field: rest },
        unknown => unreachable!("the tables use no rule `{unknown}`"),
    }
}

fn two(argument: &str) -> (&str, &str) {
    argument.split_once(':').expect("rules about another record have two parts")
}

fn shown(argument: &str) -> Shown {
    let names = |family: &str| argument.split(',').any(|name| name == family);
    Shown { regular: names("regular"), bulk: names("bulk"), sync: names("sync") }
}

fn server_value(name: &str) -> ServerValue {
    match name {
        "created" => ServerValue::Created,
        "creator" => ServerValue::Creator,
        "modified" => ServerValue::Modified,
        "modifier" => ServerValue::Modifier,
        "division" => ServerValue::Division,
        "timestamp" => ServerValue::Timestamp,
        unknown => unreachable!("the tables use no server value `{unknown}`"),
    }
}
