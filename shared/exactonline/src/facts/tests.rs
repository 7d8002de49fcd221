mod fit;
mod values;

use super::{Access, Need};
use crate::Entity;

fn entity(name: &str) -> Entity {
    Entity::named(name).unwrap()
}

#[test]
fn every_line_of_every_table_is_a_fact() {
    for name in Entity::names() {
        let entity = entity(name);
        assert_eq!(entity.facts().count(), entity.table.lines().count(), "{name}");
        if let Some(parts) = entity.parts {
            assert_eq!(parts.facts().count(), parts.table.lines().count(), "{name}");
        }
    }
    let code = entity("accounts").fact("Code").unwrap();
    assert_eq!(
        (code.edm, code.access, code.need, code.max),
        ("Edm.String", Access::ReadWrite, Need::Free, Some(18))
    );
    assert_eq!(entity("accounts").fact("Name").unwrap().need, Need::Mandatory);
    assert_eq!(entity("accounts").fact("Modified").unwrap().access, Access::ReadOnly);
    assert_eq!(entity("contacts").fact("Account").unwrap().access, Access::CreateOnly);
    assert_eq!(entity("contacts").fact("LastName").unwrap().need, Need::OneOf);
    assert!(!entity("quotations").fact("VATAmountFC").unwrap().fed);
}

#[test]
fn what_an_entity_names_is_among_its_facts() {
    for name in Entity::names() {
        let entity = entity(name);
        for late in entity.late {
            let fact = entity.fact(late).unwrap_or_else(|| panic!("{name} {late}"));
            assert_eq!(fact.access, Access::ReadOnly, "{name} {late}");
        }
        assert!(entity.fact(entity.resource.key).is_some());
        assert!(entity.fact(entity.feed.key).is_some_and(|fact| fact.fed));
        let Some(parts) = entity.parts else { continue };
        for property in [parts.resource.key, parts.feed.key, parts.parent] {
            assert!(parts.facts().any(|fact| fact.name == property && fact.fed), "{name} {property}");
        }
        assert!(entity.lines_name().or(entity.price_name()).is_some_and(|list| entity.fact(list).is_some()));
    }
}
