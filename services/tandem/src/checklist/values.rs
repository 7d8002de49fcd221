//! Values to try: another one than a property holds, of the kind that its row takes. Pure.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use mapping::{Lens, Property};
use model::{LinkId, PairName, Reference, Value};
use rust_decimal::Decimal;

/// What a value can refer to in the two systems.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Links of each pair to which records may refer.
    pub(crate) links: BTreeMap<PairName, Vec<LinkId>>,
    /// People whom both systems know, by e-mail.
    pub(crate) people: Vec<String>,
    /// The codes of each of Exact's lists.
    pub(crate) lists: BTreeMap<String, Vec<String>>,
}

/// Properties that hold more than their kind tells: what Exact, or the law, makes of them.
const SPECIAL: [(&str, [&str; 2]); 8] = [
    ("State", ["NH", "ZH"]),
    ("Country", ["NL", "BE"]),
    ("Language", ["NL", "EN"]),
    ("Currency", ["EUR", "USD"]),
    ("CostCurrency", ["EUR", "USD"]),
    ("VatNumber", ["NL001234567B01", "NL007654321B01"]),
    ("OrganizationNumber", ["12345678", "87654321"]),
    ("Barcode", ["8711000123457", "8711000765431"]),
];

/// Codes that are tried first: of the VAT codes that every Dutch company has, those that stand for a percentage.
const PREFERRED: [&str; 2] = ["4", "1"];

/// Days to choose from.
const DAYS: [Date; 2] = [date(2026, 3, 1), date(2028, 2, 29)];

/// Days to choose from for what must not be over yet.
const LATE_DAYS: [Date; 2] = [date(2096, 2, 29), date(2099, 12, 31)];

/// A value of this row that differs from the present one; `None` where there is no other. `turn` makes values of
/// different checks differ.
pub(crate) fn other(row: &Property, now: &Value, known: &Known, turn: usize) -> Option<Value> {
    candidates(row, known, turn).into_iter().find(|candidate| candidate != now)
}

fn candidates(row: &Property, known: &Known, turn: usize) -> Vec<Value> {
    let texts = |texts: &[&str]| texts.iter().map(|text| Value::Text((*text).to_owned())).collect();
    let name = row.name.as_str().rsplit('.').next().unwrap_or_default();
    if let Some((_, special)) = SPECIAL.iter().find(|(special, _)| *special == name) {
        return texts(special);
    }
    match &row.lens {
        Lens::Text { max, .. } => {
            let text = format!("Checked {turn} é客");
            let text: String = text.chars().take(max.unwrap_or(usize::MAX)).collect();
            vec![Value::Text(text.trim().to_owned()), Value::Text("Checked".to_owned())]
        }
        Lens::Labelled { .. } => {
            vec![Value::Text(format!("checked {turn}")), Value::Text("checked".to_owned())]
        }
        Lens::Code { .. } => texts(&[&(7_000 + turn).to_string(), "7000"]),
        Lens::Email { .. } => texts(&[&format!("checked-{turn}@example.com"), "checked@example.com"]),
        Lens::Phone { .. } => texts(&[&format!("+31 20 555 {:04}", turn % 10_000), "+31 20 555 9999"]),
        Lens::Country => texts(&["BE", "NL"]),
        Lens::Language => texts(&["EN", "NL"]),
        Lens::Currency => texts(&["USD", "EUR"]),
        Lens::Enum { words } => words.rows().iter().map(|(word, _)| Value::Text(word.clone())).collect(),
        Lens::Decimal { .. } => numbers(&[Decimal::new(1_225, 2), Decimal::new(45, 1)]),
        Lens::Integer { .. } => numbers(&[Decimal::from(7_001), Decimal::from(7_002)]),
        Lens::Boolean { .. } | Lens::ActiveUntil => vec![Value::Boolean(true), Value::Boolean(false)],
        Lens::Date if name == "ValidTo" => LATE_DAYS.map(Value::Date).to_vec(),
        Lens::Date => DAYS.map(Value::Date).to_vec(),
        Lens::Timestamp => DAYS.into_iter().filter_map(moment).collect(),
        Lens::Reference { pair } => {
            let links = known.links.get(pair).into_iter().flatten();
            links.map(|link| Value::Reference(Reference::Linked(link.clone()))).collect()
        }
        Lens::Person => {
            known.people.iter().map(|email| Value::Reference(Reference::Person(email.clone()))).collect()
        }
        Lens::Lookup { list, .. } => {
            let mut codes: Vec<&String> = known.lists.get(list.name()).into_iter().flatten().collect();
            codes.sort_by_key(|code| !PREFERRED.contains(&code.as_str()));
            codes.into_iter().map(|code| Value::Text(code.clone())).collect()
        }
    }
}

fn numbers(numbers: &[Decimal]) -> Vec<Value> {
    numbers.iter().map(|number| Value::Decimal(*number)).collect()
}

fn moment(day: Date) -> Option<Value> {
    let zoned = day.at(12, 30, 0, 0).in_tz("UTC").ok()?;
    Some(Value::Timestamp(zoned.timestamp()))
}
