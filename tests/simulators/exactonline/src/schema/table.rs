//! Reads a table of properties. The words of its fourth column:
//!
//! - `key`, `mandatory`, `unless=P` (mandatory unless P is filled), `not-null`, `unique`, `assigned`
//! - `max=N` (characters), `at-most=N`, `padded=N`, `of=A,B`, `list=L` (a code list), `within=P`, `lenient`
//! - `ref=T` (a record of table T), `owner` (that record owns this one), `customer`, `quotable`,
//!   `sold` (it must be so),
//!   `lines=T` (it lists the records of table T that this one owns)
//! - `fixed`, `licensed`, `tolerated`: what a change may do with it
//! - `default=JSON`, `take=P:F` (property F of what P names), `same=P`, `today`: the first that is something
//! - `mirror=P:F`, `when=P:TEXT`, `named-by=P:F`, `join=P,Q`, `is=P`, `base-price`, `total=W`: derived when read
//! - `server=W`: filled when stored
//! - `in=regular,bulk,sync`: where it is shown; `filter`: it satisfies a mandatory filter
//! - `en=`, `nl=`: its name in messages, with `_` for a blank

use std::collections::HashMap;

use super::{Access, Check, Derived, Initial, Labels, Property, ServerValue, Shape, Shown, Total};
use crate::edm::{Edm, decimal};

/// The shape that the text of a table tells. A line of `entities` tells of it what concerns whole records: its name in
/// English, one and several, the same in Dutch, and its number in the feed of deleted records; `-` stands for none,
/// and a form that is never stored has a further `form`.
pub(super) fn read(name: &'static str, text: &str, entities: &'static str) -> Shape {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let positions: HashMap<String, usize> =
        lines.iter().enumerate().map(|(position, cells)| (cells[0].to_owned(), position)).collect();
    let properties: Vec<Property> = lines.iter().map(|cells| property(cells, &positions)).collect();
    let key = properties.iter().position(|property| property.key).expect("every table names its key");
    let owner = properties.iter().position(|property| property.owner);
    let entity: Vec<&'static str> = entities
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .find(|cells| cells[0] == name)
        .expect("every table is an entity");
    Shape {
        name,
        properties,
        key,
        owner,
        labels: Labels { one: [entity[1], entity[3]], several: [entity[2], entity[4]] },
        deleted_type: entity[5].parse().ok(),
        stored: entity.get(6) != Some(&"form"),
        positions,
    }
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
        must: None,
        fixed: false,
        licensed: false,
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
        "fixed" => property.fixed = true,
        "licensed" => property.licensed = true,
        "customer" => property.must = Some(Check::Customer),
        "quotable" => property.must = Some(Check::MayBeQuoted),
        "sold" => property.must = Some(Check::SalesItem),
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
        "is" => return Derived::Same(at(argument)),
        "total" => return Derived::Total(total(argument)),
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

fn total(name: &str) -> Total {
    match name {
        "incl" => Total::Including,
        "excl" => Total::Excluding,
        "vat" => Total::Vat,
        "discount" => Total::Discount,
        "discount-excl" => Total::DiscountExcluding,
        unknown => unreachable!("the tables use no total `{unknown}`"),
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
