//! Promises of the lenses.

mod describe;
mod flags;
mod labels;
mod laws;
mod lists;
mod numbers;
mod references;
mod texts;
mod times;
mod words;

use std::collections::BTreeMap;

use jiff::civil::date;
use model::{Content, LinkId, PairName, RecordId, System, UserId, Value};
use rust_decimal::Decimal;

use crate::{Holds, Label, Lens, LensProblem, List, Lookups, Over, Word, Words};

const CRM: System = System::CustomCrm;
const EXACT: System = System::ExactOnline;

fn number(text: &str) -> Decimal {
    text.parse().or_else(|_| Decimal::from_scientific(text)).unwrap()
}

fn content(text: &str) -> Content {
    Content::from(text)
}

fn value(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn get(lens: &Lens, system: System, content: &Content) -> Result<Value, LensProblem> {
    lens.get(system, content, &lookups())
}

fn put(lens: &Lens, system: System, value: &Value) -> Result<Content, LensProblem> {
    lens.put(system, value, &lookups())
}

/// Both systems' content is the same value, and is what that value is written as.
#[track_caller]
fn assert_both(lens: &Lens, value: &Value, crm: &Content, exact: &Content) {
    for (system, content) in [(CRM, crm), (EXACT, exact)] {
        assert_eq!(get(lens, system, content), Ok(value.clone()), "{system} is read");
        assert_eq!(put(lens, system, value), Ok(content.clone()), "{system} is written");
    }
}

fn pair() -> PairName {
    PairName::parse("customer-account").unwrap()
}

fn words() -> Words {
    let rows = [("None", "A"), ("Suspect", "S"), ("Prospect", "P"), ("Customer", "C")];
    let row = |(crm, exact): (&str, &str)| (crm.to_owned(), vec![Word::Text(exact.to_owned())]);
    Words::new(rows.map(row).to_vec()).unwrap()
}

fn statuses() -> Words {
    let rows: [(&str, &[i64]); 3] = [("Open", &[25, 40]), ("Rejected", &[5]), ("Accepted", &[50, 70])];
    let row = |(crm, exact): (&str, &[i64])| {
        (crm.to_owned(), exact.iter().map(|number| Word::Number(*number)).collect())
    };
    Words::new(rows.map(row).to_vec()).unwrap()
}

fn lookups() -> Lookups {
    let mut lookups = Lookups { today: date(2026, 11, 22), ..Lookups::default() };
    let (record, guid) = (RecordId::parse("c5").unwrap(), RecordId::parse("71b9c1d2").unwrap());
    let link = LinkId::begun_by(CRM, &record);
    for (system, record) in [(CRM, record), (EXACT, guid)] {
        lookups.links.insert((pair(), system, record.clone()), link.clone());
        lookups.records.insert((pair(), link.clone(), system), record);
    }
    lookups.people.customcrm.insert(UserId::parse("u3").unwrap(), "eva@example.com".to_owned());
    lookups.people.customcrm.insert(UserId::parse("u4").unwrap(), "only-here@example.com".to_owned());
    lookups.people.exactonline.insert(UserId::parse("guid-7").unwrap(), "eva@example.com".to_owned());
    let list = |entries: &[(&str, &str)]| {
        entries.iter().map(|(code, id)| ((*code).to_owned(), (*id).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let conditions = list(&[("30", "aa30"), ("14", "aa14")]);
    lookups.lists.insert(List::PaymentConditions.name().to_owned(), conditions);
    lookups.lists.insert(List::ItemGroups.name().to_owned(), list(&[("STD", "6f1e-a0"), ("SRV", "6f1e-a1")]));
    lookups
}

/// Every kind of lens, with every way in which it can be set.
fn lenses() -> Vec<Lens> {
    let code = |upper, compact, pad, max| Lens::Code { upper, compact, pad, max };
    let decimal = |factor: &str, places| Lens::Decimal { factor: number(factor), places };
    vec![
        Lens::Text { max: None, over: Over::Refuse },
        Lens::Text { max: Some(50), over: Over::Refuse },
        Lens::Text { max: Some(7), over: Over::Cut },
        Lens::Text { max: Some(0), over: Over::Cut },
        code(false, false, None, None),
        code(true, false, None, Some(10)),
        code(false, true, Some(18), Some(18)),
        code(true, true, Some(u8::MAX), None),
        Lens::Email { max: Some(128) },
        Lens::Phone { max: Some(50) },
        Lens::Country,
        Lens::Language,
        Lens::Currency,
        Lens::Enum { words: words() },
        Lens::Enum { words: statuses() },
        decimal("1", 2),
        decimal("1", 10),
        decimal("0.01", 4),
        decimal("0.01", 28),
        decimal("-3", 0),
        decimal("0.0000000000000000000000000007", 28),
        decimal("79228162514264337593543950335", 28),
        Lens::Integer { text: false },
        Lens::Integer { text: true },
        Lens::Boolean { inverted: false, byte: false },
        Lens::Boolean { inverted: true, byte: false },
        Lens::Boolean { inverted: false, byte: true },
        Lens::Boolean { inverted: true, byte: true },
        Lens::Date,
        Lens::Timestamp,
        Lens::ActiveUntil,
        Lens::Reference { pair: pair() },
        Lens::Person,
        Lens::Lookup { list: List::PaymentConditions, holds: Holds::Code },
        Lens::Lookup { list: List::VatCodes, holds: Holds::Code },
        Lens::Lookup { list: List::ItemGroups, holds: Holds::Id },
        Lens::Lookup { list: List::Units, holds: Holds::Id },
        Lens::Labelled { label: Label::parse("E-mail").unwrap() },
    ]
}
