//! What there is in both systems and in the links, in lines that a test can expect.

use std::collections::BTreeMap;
use std::sync::Arc;

use link::{Link, Status};
use model::System;
use serde_json::Value;

use crate::checklist::simulated::Simulated;

/// The records that the pairs keep, as both simulators name them.
const KINDS: [Kind; 11] = [
    Kind::crm("user", "users"),
    Kind::crm("customer", "customers"),
    Kind::crm("contact", "contacts"),
    Kind::crm("product", "products"),
    Kind::crm("quote", "quotes"),
    Kind::crm("order", "orders"),
    Kind::exact("account", "crm/Accounts", "ID", None),
    Kind::exact("contact", "crm/Contacts", "ID", None),
    Kind::exact("item", "logistics/Items", "ID", None),
    Kind::exact("quotation", "crm/Quotations", "QuotationID", Some("crm/QuotationLines")),
    Kind::exact("sales order", "salesorder/SalesOrders", "OrderID", Some("salesorder/SalesOrderLines")),
];

/// What a record shows of itself, the first of these that it has.
const NAMES: [&str; 5] = ["FullName", "Name", "Description", "Email", "Code"];

/// One kind of record of one system.
struct Kind {
    system: System,
    name: &'static str,
    path: &'static str,
    id: &'static str,
    lines: Option<&'static str>,
}

/// One record that is there.
struct Found {
    system: System,
    kind: &'static str,
    id: String,
    name: String,
    /// When it was made, as its system writes moments: of one system these sort as texts. Then the version, because
    /// two versions may be made within one moment.
    made: (String, i64),
    lines: usize,
}

/// How records are called, by system and id.
#[derive(Clone, Default)]
pub(super) struct Labels(BTreeMap<(System, String), String>);

/// What there is at one moment.
pub(super) struct Sight {
    records: Vec<Found>,
    /// All links of all pairs.
    pub(super) links: Vec<Arc<Link>>,
}

impl Kind {
    const fn crm(name: &'static str, path: &'static str) -> Self {
        Self { system: System::CustomCrm, name, path, id: "Id", lines: None }
    }

    const fn exact(
        name: &'static str,
        path: &'static str,
        id: &'static str,
        lines: Option<&'static str>,
    ) -> Self {
        Self { system: System::ExactOnline, name, path, id, lines }
    }

    fn found(&self, simulated: &Simulated) -> Vec<Found> {
        let records = match self.system {
            System::CustomCrm => {
                let texts = simulated.crm.control.records(self.path).unwrap();
                texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
            }
            System::ExactOnline => of_exact(simulated, self.path),
        };
        let lines = self.lines.map(|path| of_exact(simulated, path)).unwrap_or_default();
        let found = |record: &Value| {
            let id = record[self.id].as_str().unwrap();
            let own = record["Lines"].as_array().map_or(0, Vec::len);
            let name = NAMES.iter().find_map(|name| record[*name].as_str()).unwrap_or_default();
            let made = record["CreatedAt"].as_str().or(record["Created"].as_str()).unwrap_or_default();
            Found {
                system: self.system,
                kind: self.name,
                id: id.to_owned(),
                name: name.trim().to_owned(),
                made: (made.to_owned(), record["VersionNumber"].as_i64().unwrap_or_default()),
                lines: own + lines.iter().filter(|line| line[self.id] == *id).count(),
            }
        };
        records.iter().map(found).collect()
    }
}

/// All records of Exact at this endpoint.
pub(super) fn of_exact(simulated: &Simulated, path: &str) -> Vec<Value> {
    serde_json::from_str(&simulated.exact.control().records(path).unwrap()).unwrap()
}

impl Sight {
    /// What both systems hold now, beside these links.
    pub(super) fn of(simulated: &Simulated, links: Vec<Arc<Link>>) -> Self {
        Self { records: KINDS.iter().flat_map(|kind| kind.found(simulated)).collect(), links }
    }

    /// How many records of this kind there are.
    pub(super) fn count(&self, system: System, kind: &str) -> usize {
        self.records.iter().filter(|found| found.system == system && found.kind == kind).count()
    }

    /// Calls each record by its own name.
    pub(super) fn names(&self) -> Labels {
        Labels(self.records.iter().map(|found| (found.key(), found.name.clone())).collect())
    }

    /// One line for each record, and for each link that joins two or that something is wrong with: what is not among
    /// `known` is called by its kind and counted from 1, in the order in which it was made.
    pub(super) fn tells(&self, known: &Labels) -> Vec<String> {
        let mut labels = known.clone();
        let mut counted: BTreeMap<(System, &str), usize> = BTreeMap::new();
        let mut new: Vec<&Found> =
            self.records.iter().filter(|found| !known.0.contains_key(&found.key())).collect();
        new.sort_by(|one, other| one.made.cmp(&other.made));
        for found in new {
            let count = counted.entry((found.system, found.kind)).or_default();
            *count += 1;
            labels.0.insert(found.key(), format!("{} {count}", found.kind));
        }
        let of_records = self.records.iter().map(|found| found.tells(&labels));
        let of_links = self.links.iter().filter(|link| speaks(link)).map(|link| tells(link, &labels));
        let mut lines: Vec<String> = of_records.chain(of_links).collect();
        lines.sort();
        lines
    }
}

impl Labels {
    /// Whether all records of a link are known.
    pub(super) fn knows(&self, link: &Link) -> bool {
        let record = |system| link.record(system).map(|record| (system, record.as_str().to_owned()));
        System::BOTH.into_iter().filter_map(record).all(|record| self.0.contains_key(&record))
    }
}

impl Found {
    fn key(&self) -> (System, String) {
        (self.system, self.id.clone())
    }

    fn tells(&self, labels: &Labels) -> String {
        let system = match self.system {
            System::CustomCrm => "CRM",
            System::ExactOnline => "Exact",
        };
        let label = labels.0.get(&self.key()).unwrap();
        match self.lines {
            0 => format!("{system} {label}"),
            lines => format!("{system} {label}, {lines} lines"),
        }
    }
}

/// A record without a partner, with which nothing is wrong, says nothing.
fn speaks(link: &Link) -> bool {
    link.has_both() || link.status != Status::Unmatched || !is_well(link)
}

fn is_well(link: &Link) -> bool {
    link.rejected.customcrm.is_none() && link.rejected.exactonline.is_none() && link.conflicts.is_empty()
}

fn tells(link: &Link, labels: &Labels) -> String {
    let label = |system| {
        let record = link.record(system).map(|record| (system, record.as_str().to_owned()));
        let label = record.as_ref().and_then(|record| labels.0.get(record)).map(String::as_str);
        label.unwrap_or(if record.is_some() { "gone" } else { "nothing" })
    };
    let mut parts =
        vec![format!("{}: {} = {}", link.pair, label(System::CustomCrm), label(System::ExactOnline))];
    parts.extend(link.follows.as_ref().map(|pair| format!("following {pair}")));
    match &link.status {
        Status::Linked => {}
        Status::Ambiguous(_) => parts.push("ambiguous".to_owned()),
        status => parts.push(format!("{status:?}")),
    }
    for system in System::BOTH {
        let rejection = link.rejected[system].as_ref();
        parts.extend(rejection.map(|rejection| format!("refused in {system}: {}", rejection.words)));
    }
    parts.extend(link.conflicts.iter().map(|name| format!("held: {name}")));
    parts.join(", ")
}
