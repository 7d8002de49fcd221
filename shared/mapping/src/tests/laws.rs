//! A whole pair obeys the laws of its lenses: what is put is what is got, what is put back changes nothing, and what
//! is not written stays as it is.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::civil::date;
use model::{
    Content, LineKey, LinkId, PairName, Properties, PropertyName, RecordId, System, SystemPair, UserId,
    Value, View,
};
use proptest::prelude::*;

use super::{line_key, order, put_known, put_new, row, seen};
use crate::{Holds, Lens, LinePut, List, Lookups, Pair, Property, Put, lens::Word};

const IDS: [&str; 3] = ["a", "b", "c"];

static PAIR: LazyLock<Pair> = LazyLock::new(order);
static LOOKUPS: LazyLock<Lookups> = LazyLock::new(lookups);

fn lookups() -> Lookups {
    let mut lookups = Lookups { today: date(2026, 1, 15), ..Lookups::default() };
    lookups.given.insert("literal.account".to_owned(), Content::from("71b9"));
    for id in IDS {
        for system in System::BOTH {
            let record = RecordId::parse(&format!("{system}-{id}")).unwrap();
            let link = LinkId::begun_by(System::CustomCrm, &RecordId::parse(id).unwrap());
            for pair in ["customer-account", "product-item"].map(|pair| PairName::parse(pair).unwrap()) {
                lookups.links.insert((pair.clone(), system, record.clone()), link.clone());
                lookups.records.insert((pair, link.clone(), system), record.clone());
            }
            let user = UserId::parse(&format!("{system}-{id}")).unwrap();
            lookups.people[system].insert(user, format!("{id}@example.com"));
        }
        for list in List::ALL {
            let entries = lookups.lists.entry(list.name().to_owned()).or_default();
            entries.insert(id.to_owned(), format!("guid-{id}"));
        }
    }
    lookups
}

/// What a system may hold for a row.
fn content(row: &Property, system: System) -> BoxedStrategy<Content> {
    let exact = system == System::ExactOnline;
    let texts = |pattern: &str| {
        let texts = proptest::string::string_regex(pattern).unwrap().prop_map(Content::Text);
        prop_oneof![1 => Just(Content::Null), 5 => texts].boxed()
    };
    let one_of = |words: Vec<Content>| prop::sample::select(words).boxed();
    let ids = || one_of(IDS.map(|id| Content::Text(format!("{system}-{id}"))).to_vec());
    let moment = |text: fn(i64) -> String| {
        (-4_000_000_000_000_i64..9_000_000_000_000).prop_map(move |ms| Content::Text(text(ms))).boxed()
    };
    match &row.lens {
        Lens::Text { .. } => texts("[ a-zA-Z0-9é🦀\u{202e}\n\r:-]{0,40}"),
        Lens::Code { .. } => texts("[ a-zA-Z0-9.-]{0,18}"),
        Lens::Email { .. } | Lens::Phone { .. } => texts("[ a-z0-9@+.-]{0,20}"),
        Lens::Country => {
            one_of(vec!["NL".into(), "be".into(), "Nederland".into(), " ".into(), Content::Null])
        }
        Lens::Language => one_of(vec!["nl".into(), "NL-BE".into(), Content::Null]),
        Lens::Currency => one_of(vec!["eur".into(), " USD".into(), "".into()]),
        Lens::Enum { words } => one_of(
            words
                .rows()
                .iter()
                .flat_map(|(word, exacts)| {
                    let exacts = exacts.iter().map(|word| match word {
                        Word::Text(text) => Content::from(text.as_str()),
                        Word::Number(number) => Content::Number((*number).into()),
                    });
                    if exact { exacts.collect() } else { vec![Content::from(word.as_str())] }
                })
                .chain([Content::Null])
                .collect(),
        ),
        Lens::Decimal { .. } => (any::<i32>(), 0_u32..9)
            .prop_map(|(digits, scale)| Content::Number(rust_decimal::Decimal::new(digits.into(), scale)))
            .boxed(),
        Lens::Integer { text } => {
            let is_text = *text && !exact;
            (0_i32..20)
                .prop_map(move |number| {
                    if is_text { Content::Text(number.to_string()) } else { Content::Number(number.into()) }
                })
                .boxed()
        }
        Lens::Boolean { byte: true, .. } if exact => {
            any::<bool>().prop_map(|yes| Content::Number(i32::from(yes).into())).boxed()
        }
        Lens::Boolean { .. } => any::<bool>().prop_map(Content::Boolean).boxed(),
        Lens::ActiveUntil if !exact => any::<bool>().prop_map(Content::Boolean).boxed(),
        Lens::ActiveUntil | Lens::Date | Lens::Timestamp if exact => moment(|ms| format!("/Date({ms})/")),
        Lens::Date => {
            moment(|ms| jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%Y-%m-%d").to_string())
        }
        Lens::ActiveUntil | Lens::Timestamp => {
            moment(|ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string())
        }
        Lens::Reference { .. } | Lens::Person => ids(),
        Lens::Lookup { holds: Holds::Id, .. } if exact => {
            one_of(IDS.map(|id| Content::Text(format!("guid-{id}"))).to_vec())
        }
        Lens::Lookup { .. } => one_of(IDS.map(Content::from).to_vec()),
        Lens::Labelled { .. } if exact => {
            let lines =
                ["E-mail: a", "e-mail :b", "Web:  x.nl", "Note: n", "by hand", "a: b", "", "🦀", "Web:"];
            prop::collection::vec(prop::sample::select(lines.to_vec()), 0..6)
                .prop_map(|lines| Content::Text(lines.join("\n")))
                .boxed()
        }
        Lens::Labelled { .. } => texts("[ a-zé🦀\n\r:-]{0,20}"),
    }
}

/// What a system may hold for these rows; each may be absent but required ones and texts that rows share.
fn record(rows: &[Property], system: System) -> BoxedStrategy<Properties> {
    let one = |row: &Property| -> Vec<BoxedStrategy<Option<(String, Content)>>> {
        let is_always = row.required || row.rest.is_some();
        row.paths(system)
            .map(|path| {
                let path = path.to_owned();
                let held = content(row, system).prop_map(move |content| (path.clone(), content));
                if is_always {
                    held.prop_map(Some).boxed()
                } else {
                    prop::option::weighted(0.8, held).boxed()
                }
            })
            .collect()
    };
    let all: Vec<_> = rows.iter().flat_map(one).collect();
    all.prop_map(|all| all.into_iter().flatten().collect()).boxed()
}

/// A record of this pair with up to four lines, whose ids begin with a letter of the system.
fn document(pair: &Pair, system: System) -> BoxedStrategy<Properties> {
    let lines = pair.lines.clone().unwrap();
    let of_lines = prop::collection::vec(record(&lines.properties, system), 0..4);
    (record(&pair.properties, system), of_lines)
        .prop_map(move |(mut properties, records)| {
            let ids = (1..).map(|number| Content::Text(format!("L{number}")));
            let records = records.into_iter().zip(ids).map(|(mut record, id)| {
                record.insert(lines.ids[system].clone(), id);
                Content::Object(record)
            });
            properties.insert(lines.names[system].clone(), Content::List(records.collect()));
            properties
        })
        .boxed()
}

/// The record as its system holds it after this write; new lines are given the next ids.
fn written(pair: &Pair, system: System, mut properties: Properties, put: Put) -> Properties {
    let lines = pair.lines.as_ref().unwrap();
    properties.extend(put.properties);
    let held = match properties.remove(&lines.names[system]) {
        Some(Content::List(held)) => held,
        _ => Vec::new(),
    };
    let id_of = |line: &Properties| line[&lines.ids[system]].as_text().unwrap().to_owned();
    let held = held.into_iter().map(|line| match line {
        Content::Object(line) => (id_of(&line), line),
        other => panic!("no line: {other:?}"),
    });
    let mut held: BTreeMap<String, Properties> = held.collect();
    for (at, line) in put.lines.into_iter().enumerate() {
        match line {
            LinePut::Add(mut line) => {
                let id = format!("N{at}");
                line.insert(lines.ids[system].clone(), Content::from(id.as_str()));
                held.insert(id, line);
            }
            LinePut::Change { id, properties } => held.get_mut(id.as_str()).unwrap().extend(properties),
            LinePut::Remove { id } => assert!(held.remove(id.as_str()).is_some()),
        }
    }
    let held = held.into_values().map(Content::Object).collect();
    properties.insert(lines.names[system].clone(), Content::List(held));
    properties
}

/// What of a view a system can be given: what it has a property for.
fn writable(pair: &Pair, system: System, view: &View) -> View {
    let has = |name: &PropertyName| match pair.property(name) {
        Some(row) => row.names[system].is_some(),
        None => name.row() == row("Lines"),
    };
    view.iter().filter(|(name, _)| has(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The lines of a view without their keys.
fn lines_of(view: &View) -> Vec<Vec<(PropertyName, Value)>> {
    let mut lines: BTreeMap<LineKey, Vec<(PropertyName, Value)>> = BTreeMap::new();
    for (name, value) in view.iter().filter(|(name, _)| !name.as_str().ends_with("(rest)")) {
        if let Some(line) = name.line() {
            lines.entry(line).or_default().push((name.row(), value.clone()));
        }
    }
    let mut lines: Vec<_> = lines.into_values().collect();
    lines.sort_by_key(|line| format!("{line:?}"));
    lines
}

/// A system, and a record as each holds one.
fn records() -> impl Strategy<Value = (System, SystemPair<Properties>)> {
    let both = (document(&PAIR, System::CustomCrm), document(&PAIR, System::ExactOnline));
    let both = both.prop_map(|(customcrm, exactonline)| SystemPair { customcrm, exactonline });
    (prop::sample::select(System::BOTH.to_vec()), both)
}

proptest! {
    #[test]
    fn what_a_new_record_is_given_is_what_is_read_of_it((source, records) in records()) {
        let (pair, lookups, target) = (&*PAIR, &*LOOKUPS, source.other());
        let values = writable(pair, target, &seen(pair, source, &records[source], lookups));
        let put = put_new(pair, target, &values, lookups).unwrap();
        let view = seen(pair, target, &written(pair, target, Properties::new(), put), lookups);
        for (name, value) in values.iter().filter(|(name, _)| name.line().is_none()) {
            prop_assert_eq!(view.get(name), Some(value), "{}", name);
        }
        prop_assert_eq!(lines_of(&view), lines_of(&values));
    }

    #[test]
    fn what_is_written_back_changes_nothing_that_is_read((system, records) in records()) {
        let (pair, lookups, record) = (&*PAIR, &*LOOKUPS, records[system].clone());
        let view = seen(pair, system, &record, lookups);
        let put = put_known(pair, system, &writable(pair, system, &view), &view, lookups).unwrap();
        prop_assert_eq!(seen(pair, system, &written(pair, system, record, put), lookups), view);
    }

    #[test]
    fn what_is_not_written_stays_as_it_is(
        (system, records) in records(),
        (source, others) in records(),
        chosen in prop::collection::vec(any::<bool>(), 64),
        removed in prop::option::of(1_u8..4),
    ) {
        let (pair, lookups, record) = (&*PAIR, &*LOOKUPS, records[system].clone());
        let view = seen(pair, system, &record, lookups);
        let of_lines_there = |name: &PropertyName| {
            name.line().is_none_or(|line| view.contains_key(&PropertyName::of_line(&row("Lines"), &line)))
        };
        let other = seen(pair, source, &others[source], lookups);
        let mut values: View = writable(pair, system, &other)
            .into_iter()
            .zip(chosen.iter().cycle())
            .filter(|((name, _), chosen)| **chosen && of_lines_there(name))
            .map(|(cell, _)| cell)
            .collect();
        let mut expected: View = view.clone();
        expected.extend(values.clone());
        if let Some(removed) = removed.map(|number| line_key(system, &format!("L{number}"))) {
            values.insert(PropertyName::of_line(&row("Lines"), &removed), Value::Empty);
            expected.retain(|name, _| name.line().as_ref() != Some(&removed));
        }
        let put = put_known(pair, system, &values, &view, lookups).unwrap();
        prop_assert_eq!(seen(pair, system, &written(pair, system, record, put), lookups), expected);
    }
}
