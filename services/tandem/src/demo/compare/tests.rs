#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use mapping::Pair;
use model::{PropertyName, RecordId, Reference, System, SystemPair, Value, View};

use super::{Difference, Holdings, differences, metric_sum, percentile};

fn pair() -> Pair {
    let text = include_str!("../../../../../deploy/pairs/customer-account.toml");
    let kept: BTreeSet<_> = Pair::name_in(text).into_iter().collect();
    Pair::parse("customer-account.toml", text, mapping::Reading::Practical, &kept).unwrap()
}

fn id(text: &str) -> RecordId {
    RecordId::parse(text).unwrap()
}

fn view(properties: &[(&str, &str)]) -> View {
    let value = |text: &str| if text.is_empty() { Value::Empty } else { Value::Text(text.to_owned()) };
    properties.iter().map(|(name, text)| (PropertyName::parse(name).unwrap(), value(text))).collect()
}

/// A customer and its account that agree.
fn agreed() -> Holdings {
    let mut holdings = Holdings::default();
    holdings
        .views
        .customcrm
        .insert(id("c1"), view(&[("Name", "Acme"), ("Email", "a@acme.example"), ("Fax", "")]));
    holdings.views.exactonline.insert(id("e1"), view(&[("Name", "Acme"), ("Email", "a@acme.example")]));
    holdings.partners.push(SystemPair { customcrm: id("c1"), exactonline: id("e1") });
    holdings
}

fn told(holdings: &Holdings) -> Vec<String> {
    differences(&pair(), holdings).iter().map(Difference::to_string).collect()
}

#[test]
fn sides_that_hold_the_same_agree_and_nothing_is_as_good_as_empty() {
    assert_eq!(told(&agreed()), Vec::<String>::new());
}

#[test]
fn a_property_that_differs_is_told_with_both_values() {
    let mut holdings = agreed();
    holdings.views.exactonline.get_mut(&id("e1")).unwrap().extend(view(&[("City", "Delft")]));
    assert_eq!(told(&holdings), ["Acme: City is \"(empty)\" in customcrm and \"Delft\" in exactonline"]);
}

#[test]
fn a_user_whom_one_side_does_not_know_is_no_difference() {
    let mut holdings = agreed();
    let stranger = Reference::UnknownPerson { system: System::CustomCrm, user: "u".to_owned() };
    let owner = (PropertyName::parse("OwnerId").unwrap(), Value::Reference(stranger));
    holdings.views.customcrm.get_mut(&id("c1")).unwrap().extend([owner]);
    assert_eq!(told(&holdings), Vec::<String>::new());
}

#[test]
fn a_record_without_a_partner_is_told_with_the_reason() {
    let mut holdings = agreed();
    holdings.views.customcrm.insert(id("c2"), view(&[("Name", "Bolt")]));
    holdings.views.exactonline.insert(id("e2"), view(&[("Name", "Cork")]));
    holdings.alone.insert((System::CustomCrm, id("c2")), "too long".to_owned());
    assert_eq!(told(&holdings), ["Bolt: only in customcrm: too long", "Cork: only in exactonline"]);
}

#[test]
fn records_of_one_side_with_one_match_key_are_duplicates_however_it_is_written() {
    let mut holdings = agreed();
    for (record, name, email) in [("c2", "Acme 2", "A@ACME.example"), ("c3", "Other", "b@acme.example")] {
        holdings.views.customcrm.insert(id(record), view(&[("Name", name), ("Email", email)]));
        holdings
            .views
            .exactonline
            .insert(id(&format!("e{record}")), holdings.views.customcrm[&id(record)].clone());
        holdings.partners.push(SystemPair { customcrm: id(record), exactonline: id(&format!("e{record}")) });
    }
    holdings.views.exactonline.get_mut(&id("ec2")).unwrap().extend(view(&[("Email", "A@ACME.example")]));
    assert_eq!(
        told(&holdings),
        ["Acme and Acme 2: share one Email in customcrm", "Acme and Acme 2: share one Email in exactonline"]
    );
}

#[test]
fn a_record_with_two_partners_and_a_link_to_nothing_are_told() {
    let mut holdings = agreed();
    holdings.partners.push(SystemPair { customcrm: id("c1"), exactonline: id("e9") });
    assert_eq!(
        told(&holdings),
        [
            "customcrm record c1: is the partner of two records",
            "exactonline record e9: is linked and is not there"
        ]
    );
}

#[test]
fn a_percentile_is_one_of_the_values() {
    let lags: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
    assert_eq!(percentile(&lags, 50), Some(Duration::from_millis(100)));
    assert_eq!(percentile(&lags, 99), Some(Duration::from_millis(198)));
    assert_eq!(percentile(&lags[..1], 50), Some(Duration::from_millis(200)));
    assert_eq!(percentile(&lags[..3], 99), Some(Duration::from_millis(200)));
    assert_eq!(percentile(&[], 50), None);
}

#[test]
fn a_metric_is_summed_over_the_labels_that_are_not_asked_for() {
    let metrics = telemetry::Metrics::new("tandem");
    for (pair, system) in [("a", "customcrm"), ("a", "exactonline"), ("b", "customcrm")] {
        metrics.count_echo(pair, system);
    }
    metrics.count_echo("a", "customcrm");
    let text = metrics.render();
    assert_eq!(metric_sum(&text, "tandem_echoes_total", &[("pair", "a")]), 3);
    assert_eq!(metric_sum(&text, "tandem_echoes_total", &[("pair", "a"), ("system", "customcrm")]), 2);
    assert_eq!(metric_sum(&text, "tandem_echoes", &[]), 0);
}
