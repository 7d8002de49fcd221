//! How long a record takes through its pair, both ways, and how long a pair with a long table takes to load.
//!
//! `cargo bench -p mapping --profile dist` prints it for the code that images run. What it should stay under: 20 µs
//! for a record, 500 µs for an order of fifty lines, 100 ms for a table of ten thousand words.

use std::{collections::BTreeSet, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use mapping::{Lens, LinePut, Lookups, Onto, Pair, Property, Reading};
use model::{Content, LinkId, PairName, Properties, RecordId, System, UserId, View};
use rust_decimal::Decimal;

const CUSTOMER_ACCOUNT: &str = include_str!("../../../deploy/pairs/customer-account.toml");
const ORDER_SALESORDER: &str = include_str!("../../../deploy/pairs/order-salesorder.toml");
const LINES: usize = 50;
const WORDS: usize = 10_000;

/// That of the services.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = record, order, table
}
criterion_main!(benches);

fn record(criterion: &mut Criterion) {
    both_ways(criterion, "a record of customer-account, both ways", &pair(CUSTOMER_ACCOUNT));
}

fn order(criterion: &mut Criterion) {
    both_ways(criterion, "an order of 50 lines, both ways", &pair(ORDER_SALESORDER));
}

fn table(criterion: &mut Criterion) {
    let words: Vec<String> = (0..WORDS).map(|n| format!("Word{n} = \"W{n}\"")).collect();
    let row = r#"
        [[property]]
        customcrm = "Industry"
        exactonline = "Industry"
        edm = "Edm.String"
        kind = "enum"
    "#;
    let text = format!("{CUSTOMER_ACCOUNT}\n{row}\nwords = {{ {} }}\n", words.join(", "));
    criterion.bench_function("a pair with a table of 10000 words, loaded", |bencher| {
        bencher.iter(|| pair(black_box(&text)));
    });
}

/// Reads a record of CustomCRM, writes it as Exact's, reads that and writes it back.
fn both_ways(criterion: &mut Criterion, name: &str, pair: &Pair) {
    let lookups = lookups(pair);
    let crm = sample(pair);
    let exact = written(pair, System::ExactOnline, &seen(pair, System::CustomCrm, &crm, &lookups), &lookups);
    assert_eq!(
        seen(pair, System::CustomCrm, &crm, &lookups).len(),
        seen(pair, System::ExactOnline, &exact, &lookups).len(),
        "both systems' records are measured whole"
    );
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            for (source, properties) in [(System::CustomCrm, &crm), (System::ExactOnline, &exact)] {
                let view = seen(pair, source, black_box(properties), &lookups);
                let put = pair.put(source.other(), &view, Onto::New { source: &view }, &lookups);
                black_box(put).expect("the sample fits");
            }
        });
    });
}

fn pair(text: &str) -> Pair {
    let name = Pair::name_in(text).expect("the file names its pair");
    let known = ["contact-contact", "customer-account", "product-item", "quote-quotation", "order-quotation"];
    let mut kept: BTreeSet<PairName> =
        known.iter().map(|name| PairName::parse(name).expect("a slug")).collect();
    kept.insert(name);
    Pair::parse("pair.toml", text, Reading::Practical, &kept).expect("the file has no problems")
}

fn seen(pair: &Pair, system: System, properties: &Properties, lookups: &Lookups) -> View {
    let seen = pair.view(system, properties, lookups);
    assert!(seen.problems.is_empty(), "the sample can be read: {:?}", seen.problems);
    seen.view
}

/// The record that a system holds after it was made of this view.
fn written(pair: &Pair, system: System, view: &View, lookups: &Lookups) -> Properties {
    let put = pair.put(system, view, Onto::New { source: view }, lookups).expect("the sample fits");
    let mut properties = put.properties;
    if let Some(lines) = &pair.lines {
        let list = put.lines.into_iter().enumerate().map(|(n, line)| match line {
            LinePut::Add(mut line) => {
                line.insert(lines.ids[system].clone(), Content::Text(format!("line-{n}")));
                Content::Object(line)
            }
            LinePut::Change { .. } | LinePut::Remove { .. } => Content::Null,
        });
        properties.insert(lines.names[system].clone(), Content::List(list.collect()));
    }
    properties
}

/// A record of CustomCRM with every property of the pair filled.
fn sample(pair: &Pair) -> Properties {
    let mut properties = filled(&pair.properties);
    if let Some(lines) = &pair.lines {
        let line = |n: usize| {
            let mut line = filled(&lines.properties);
            line.insert(lines.ids.customcrm.clone(), Content::Text(format!("line-{n}")));
            Content::Object(line)
        };
        properties.insert(lines.names.customcrm.clone(), Content::List((0..LINES).map(line).collect()));
    }
    properties
}

fn filled(rows: &[Property]) -> Properties {
    let content = |row: &Property| Some((row.names.customcrm.clone()?, content(&row.lens)));
    rows.iter().filter_map(content).collect()
}

/// What CustomCRM may hold in a property of this kind.
fn content(lens: &Lens) -> Content {
    let text = match lens {
        Lens::Decimal { .. } => return Content::Number(Decimal::new(1_250, 2)),
        Lens::Integer { text: false } => return Content::Number(Decimal::from(1_700)),
        Lens::Boolean { .. } | Lens::ActiveUntil => return Content::Boolean(true),
        Lens::Enum { words } => {
            let both = words.rows().iter().find(|(_, exact)| !exact.is_empty());
            both.map_or("", |(word, _)| word.as_str())
        }
        Lens::Text { .. } | Lens::Labelled { .. } => "Bäckerei Müßig & Zoon B.V., te Zutphen",
        Lens::Code { .. } | Lens::Integer { text: true } => "001234567",
        Lens::Email { .. } => "Eva.Jansen@example.com",
        Lens::Phone { .. } => "+31 (0)575  12 34 56",
        Lens::Country | Lens::Language => "nl",
        Lens::Currency => "eur",
        Lens::Date => "2026-11-22",
        Lens::Timestamp => "2026-11-22T09:30:00.125Z",
        Lens::Reference { .. } => "2",
        Lens::Person => "1",
        Lens::Lookup { .. } => "30",
    };
    Content::from(text)
}

/// Links and people as many as a deployment may know at a time.
fn lookups(pair: &Pair) -> Lookups {
    let mut lookups = Lookups::default();
    for row in pair.rows() {
        if let Lens::Reference { pair: through } = &row.lens {
            for system in System::BOTH {
                let record = RecordId::parse("2").expect("an id");
                let link = LinkId::begun_by(System::CustomCrm, &record);
                lookups.links.insert((through.clone(), system, record.clone()), link.clone());
                lookups.records.insert((through.clone(), link, system), record);
            }
        }
    }
    for n in 0..100 {
        let user = UserId::parse(&n.to_string()).expect("an id");
        for system in System::BOTH {
            lookups.people[system].insert(user.clone(), format!("person-{n}@example.com"));
        }
    }
    lookups
}
