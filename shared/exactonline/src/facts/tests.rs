use std::collections::BTreeSet;

use mapping::Pair;
use model::PairName;

use super::{ACCOUNTS, Access};
use crate::Entity;

const PAIR: &str = include_str!("../../../../deploy/pairs/customer-account.toml");

fn accounts() -> Entity {
    Entity::named("accounts").unwrap()
}

#[track_caller]
fn unfit(from: &str, to: &str) -> String {
    let text = PAIR.replacen(from, to, 1);
    assert_ne!(text, PAIR, "the change of this case changes nothing");
    let kept = BTreeSet::from([PairName::parse("customer-account").unwrap()]);
    let pair = Pair::parse("pair.toml", &text, mapping::Reading::Practical, &kept).unwrap();
    accounts().unfit(&pair).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_line_of_the_table_is_a_fact() {
    assert_eq!(accounts().facts().count(), ACCOUNTS.lines().count());
    let code = accounts().fact("Code").unwrap();
    assert_eq!((code.edm, code.access, code.mandatory), ("Edm.String", Access::ReadWrite, false));
    assert!(accounts().fact("Name").unwrap().mandatory);
    assert_eq!(accounts().fact("Modified").unwrap().access, Access::ReadOnly);
}

#[test]
fn the_shipped_pair_fits() {
    assert_eq!(unfit("# Each [[property]]", "# Every [[property]]"), "");
}

#[test]
fn a_pair_that_exact_can_not_work_with_is_told_with_its_place_and_the_remedy() {
    let told = unfit("exactonline = \"Website\"", "exactonline = \"WebSite\"");
    assert!(told.starts_with("pair.toml:") && told.contains("did you mean \"Website\"?"), "{told}");
    let told = unfit("exactonline = \"City\"", "exactonline = \"CountryName\"");
    assert!(told.contains("can only be read: write direction = \"to-crm\""), "{told}");
    let told = unfit("exactonline = \"Blocked\"", "exactonline = \"IsMailing\"");
    assert!(told.contains("is of type Edm.Byte, not Edm.Boolean"), "{told}");
    let told = unfit("required = true\n", "");
    assert!(told.contains("is mandatory: write required = true"), "{told}");
    let told = unfit("exactonline = \"Name\"", "exactonline = \"TradeName\"");
    assert!(told.contains("nothing is created in Exact without Name"), "{told}");
}
