//! The plan holds every row and direction, and the reports say what was found.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use link::{Flow, Link, Side, Status};
use mapping::Reading;
use model::{PairName, Presence, PropertyName, RecordId, System, View};
use store::{Commit, Embedded, LinkChange, Links};
use telemetry::LogFilter;
use tokio::sync::Mutex;

use super::is_set_by_exact;
use super::plan::{Aspect, Check, checks};
use super::report::{Checked, Verdict, is_green, json, junit, table};
use super::stage::Stage;
use super::systems::Systems;
use crate::shipped;

fn checked(verdict: Verdict) -> Checked {
    let check = Check {
        pair: PairName::parse("customer-account").expect("a name"),
        row: PropertyName::parse("Name").expect("a name"),
        aspect: Aspect::Flows(System::ExactOnline),
    };
    Checked { check, verdict, took: Duration::from_millis(1_500) }
}

#[test]
fn every_row_that_both_systems_have_is_checked_in_every_direction_in_which_it_flows() {
    for reading in Reading::ALL {
        let pairs = shipped::pairs(reading).expect("the pairs that ship");
        let checks = checks(&pairs, is_set_by_exact);
        for pair in &pairs {
            for row in
                pair.rows().filter(|row| System::BOTH.into_iter().all(|system| row.names[system].is_some()))
            {
                let directions: Vec<&str> = checks
                    .iter()
                    .filter(|check| check.pair == pair.name && check.row == row.name)
                    .map(|check| check.aspect.direction())
                    .collect();
                for system in System::BOTH {
                    let (to, not) = match system {
                        System::CustomCrm => ("to-crm", "not to-crm"),
                        System::ExactOnline => ("to-exact", "not to-exact"),
                    };
                    let is_checked = directions.contains(&to) || directions.contains(&not);
                    let never = row.create_only && !pair.creates[system];
                    assert!(is_checked || never, "{} {} {to}: {directions:?}", pair.name, row.name);
                    let one_way = matches!(row.flow, Flow::To(only) | Flow::Follow(only) if only != system);
                    assert_eq!(one_way, directions.contains(&not), "{} {} {not}", pair.name, row.name);
                }
            }
        }
    }
}

#[test]
fn one_red_row_makes_the_checklist_red_and_a_skipped_one_does_not() {
    assert!(is_green(&[checked(Verdict::Green), checked(Verdict::Skipped("no list".to_owned()))]));
    assert!(!is_green(&[checked(Verdict::Green), checked(Verdict::Red("lost".to_owned()))]));
}

#[test]
fn the_table_counts_what_passed_failed_and_was_skipped() {
    let all = [checked(Verdict::Green), checked(Verdict::Red("lost".to_owned()))];
    let text = table(&all, Duration::from_secs(3));
    assert!(text.contains("2 checks: 1 passed, 1 failed, 0 skipped, in 3 s"), "{text}");
    assert!(text.contains("failed: lost"), "{text}");
}

#[test]
fn a_json_row_has_pair_property_direction_result_and_reason() {
    let text = json(&[checked(Verdict::Red("\"a\" was written".to_owned()))]);
    let rows: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(rows[0]["pair"], "customer-account");
    assert_eq!(rows[0]["property"], "Name");
    assert_eq!(rows[0]["direction"], "to-exact");
    assert_eq!(rows[0]["result"], "failed");
    assert_eq!(rows[0]["reason"], "\"a\" was written");
}

#[test]
fn no_value_breaks_out_of_the_junit_report() {
    let text = junit(&[checked(Verdict::Red("<&\"\u{0}\n>".to_owned()))]);
    assert!(text.contains("message=\"&lt;&amp;&quot;? &gt;\""), "{text}");
    assert!(text.contains("tests=\"1\" failures=\"1\" skipped=\"0\""), "{text}");
}

/// A customer that is linked right after the references were asked for used to be unknown to its contact, for as long as
/// the answer was kept.
#[tokio::test]
async fn others_can_refer_to_a_record_as_soon_as_it_is_linked() {
    let log_filter = LogFilter::parse("warn").expect("a filter");
    let systems = Systems::simulated(Reading::Literal, log_filter).await.expect("the simulators start");
    let store = Embedded::in_memory().expect("a store");
    let stage = Stage {
        pairs: systems.pairs.clone(),
        links: Links::new(store.clone(), "tandem"),
        connection: systems.connection.name.clone(),
        sides: systems.sides(store).expect("both sides"),
        given: systems.given(),
        seen: Mutex::new(None),
    };
    assert!(stage.known().await.expect("the store answers").links.is_empty());
    let pair = &stage.pairs[0];
    let link = linked(&stage, "c-1", "a-1");
    let commit = Commit {
        pair,
        connection: &stage.connection,
        links: vec![LinkChange { before: None, after: Some(Arc::new(link.clone())) }],
        checks: Vec::new(),
        outbox: Vec::new(),
        notes: Vec::new(),
        part: None,
        now: Timestamp::now(),
    };
    assert!(stage.links.commit(commit).await.expect("the store answers"));

    let customer = RecordId::parse("c-1").expect("an id");
    stage.until_linked(pair, System::CustomCrm, &customer).await.expect("it is linked");
    assert_eq!(stage.known().await.expect("the store answers").links[&pair.name], [link.id]);
}

fn linked(stage: &Stage<Embedded>, customer: &str, account: &str) -> Link {
    let side = |id| Side {
        record: RecordId::parse(id).expect("an id"),
        version: None,
        modified_at: None,
        view: View::new(),
        presence: Presence::Present,
        admitted: true,
        stand_in: None,
    };
    let pair = stage.pairs[0].name.clone();
    let mut link = Link::begin(stage.connection.clone(), pair, System::CustomCrm, side(customer));
    link.sides.exactonline = Some(side(account));
    link.status = Status::Linked;
    link
}
