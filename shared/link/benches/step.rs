//! How long one step takes: of a record with thirty properties, and of an order with two hundred lines.
//!
//! `cargo bench -p link --profile dist` prints it for the code that images run. What it should stay under: 10 µs for
//! the record, 300 µs for the order.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use link::{
    ConflictPolicy, DeleteConflict, DeletePolicy, Effect, Event, LinesPolicy, Link, Observation, Policy,
    Rule, Side, step,
};
use model::{
    ConnectionName, LineKey, PairName, Presence, PropertyName, RecordId, System, SystemPair, Value, Version,
    View,
};

const PROPERTIES: usize = 30;
const LINES: usize = 200;
/// What an order's line holds, by name.
const CELLS: [&str; 5] = ["Product", "Quantity", "UnitPrice", "Description", "VatCode"];

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = record, order
}
criterion_main!(benches);

fn record(criterion: &mut Criterion) {
    let rules = (0..PROPERTIES).map(|at| (name(&format!("Property{at}")), rule())).collect();
    let view: View = (0..PROPERTIES)
        .map(|at| (name(&format!("Property{at}")), Value::Text(format!("Keizersgracht {at}"))))
        .collect();
    let policy = policy(rules, None);
    let mut edited = view.clone();
    edited.insert(name("Property7"), Value::Text("Leiden".to_owned()));
    measured(criterion, "a record of 30 properties", &policy, &|_| view.clone(), edited);
}

fn order(criterion: &mut Criterion) {
    let lines = name("Lines");
    let mut rules: BTreeMap<PropertyName, Rule> =
        CELLS.iter().map(|cell| (name(&format!("Lines.{cell}")), rule())).collect();
    rules.insert(lines.clone(), rule());
    rules.insert(name("Name"), rule());
    let match_by = vec![name("Lines.Product"), name("Lines.Quantity"), name("Lines.UnitPrice")];
    let policy = policy(rules, Some(LinesPolicy { row: lines, match_by }));
    let mut edited = document(System::CustomCrm);
    let line = LineKey::begun_by(System::CustomCrm, &id("L17"));
    edited.insert(PropertyName::in_line(&line, &name("Lines.Quantity")), Value::Text("99".to_owned()));
    measured(criterion, "an order of 200 lines", &policy, &document, edited);
}

/// The steps that an edit brings: it is seen, claimed, and its repeated sighting is an echo.
fn measured(
    criterion: &mut Criterion,
    what: &str,
    policy: &Policy,
    view: &dyn Fn(System) -> View,
    edited: View,
) {
    let now = Timestamp::UNIX_EPOCH;
    let linked = agreed(policy, view);
    let sighting = |version, view: View| Event::Observed {
        system: System::CustomCrm,
        observation: Observation {
            record: id("c1"),
            version: Some(Version(version)),
            modified_at: Some(now),
            by_us: false,
            presence: Presence::Present,
            view,
            whole_lines: true,
            admitted: true,
            stand_in: None,
        },
    };
    let (edit, echo) = (sighting(2, edited), sighting(2, view(System::CustomCrm)));
    let queued = step(linked.clone(), edit.clone(), policy, true, now);
    assert!(queued.effects.contains(&Effect::Enqueue(System::ExactOnline)), "the edit is to be written");
    assert_eq!(
        step(linked.clone(), echo.clone(), policy, true, now).effects,
        [Effect::Echo(System::CustomCrm)]
    );
    let claim = Event::Claimed { system: System::ExactOnline };
    for (name, link, event) in [
        ("an edit is seen", &linked, edit),
        ("an echo is seen", &linked, echo),
        ("claimed", &queued.link, claim),
    ] {
        criterion.bench_function(&format!("{what}: {name}"), |bencher| {
            bencher.iter_batched(
                || (link.clone(), event.clone()),
                |(link, event)| step(black_box(link), event, policy, true, now),
                criterion::BatchSize::SmallInput,
            );
        });
    }
}

/// Two records that hold the same and have agreed on it.
fn agreed(policy: &Policy, view: &dyn Fn(System) -> View) -> Link {
    let [crm, exact] = System::BOTH.map(|system| Side {
        record: id(if system == System::CustomCrm { "c1" } else { "e1" }),
        version: Some(Version(1)),
        modified_at: Some(Timestamp::UNIX_EPOCH),
        view: view(system),
        presence: Presence::Present,
        admitted: true,
        stand_in: None,
    });
    let connection = ConnectionName::parse("acme").expect("a name");
    let pair = PairName::parse("order-salesorder").expect("a name");
    let link = Link::begin(connection, pair, System::CustomCrm, crm);
    let joined = Event::Joined { system: System::ExactOnline, side: exact };
    let link = step(link, joined, policy, true, Timestamp::UNIX_EPOCH).link;
    assert!(link.is_at_rest() && !link.agreed.is_empty(), "both sides agree");
    link
}

fn document(system: System) -> View {
    let mut view = View::from([(name("Name"), Value::Text("Ropes".to_owned()))]);
    for at in 0..LINES {
        let letter = if system == System::CustomCrm { 'L' } else { 'X' };
        let key = LineKey::begun_by(system, &id(&format!("{letter}{at}")));
        view.insert(PropertyName::of_line(&name("Lines"), &key), Value::Boolean(true));
        for cell in CELLS {
            let value = Value::Text(format!("{cell} {at}"));
            view.insert(PropertyName::in_line(&key, &name(&format!("Lines.{cell}"))), value);
        }
    }
    view
}

fn policy(rules: BTreeMap<PropertyName, Rule>, lines: Option<LinesPolicy>) -> Policy {
    Policy {
        rules,
        creates: SystemPair { customcrm: true, exactonline: true },
        deletes: SystemPair { customcrm: DeletePolicy::Unlink, exactonline: DeletePolicy::Unlink },
        delete_conflict: DeleteConflict::Ask,
        lines,
    }
}

fn rule() -> Rule {
    Rule { conflict: ConflictPolicy::Wins(System::CustomCrm), ..Rule::default() }
}

fn name(name: &str) -> PropertyName {
    PropertyName::parse(name).expect("a name")
}

fn id(id: &str) -> RecordId {
    RecordId::parse(id).expect("an id")
}
