//! The book of companies that the demo begins with: the built-in one, or a user's own exports in the same columns.

mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use model::{Content, Properties, System, SystemPair};
use rust_decimal::Decimal;

use table::{Cell, Line, Table};

/// The built-in book, as (file, content).
const BUILT_IN: [(&str, &str); 3] = [
    (USERS, include_str!("../../data/users.csv")),
    (CUSTOMERS, include_str!("../../data/customers.csv")),
    (ACCOUNTS, include_str!("../../data/accounts.csv")),
];

const USERS: &str = "users.csv";
const CUSTOMERS: &str = "customers.csv";
const ACCOUNTS: &str = "accounts.csv";

/// What both systems hold when the demo begins.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// The users of each system; at least one each.
    pub(crate) people: SystemPair<Vec<Person>>,
    /// The records of each system; a parent comes before its children.
    pub(crate) records: SystemPair<Vec<Entry>>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// First and last name.
    pub(crate) full_name: String,
    /// E-mail address.
    pub(crate) email: String,
}

/// A customer or an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it stands in its file, from 1.
    pub(crate) line: u64,
    /// Its customer number or code.
    pub(crate) number: Option<String>,
    /// The e-mail address of its owner, in lower case.
    pub(crate) owner: Option<String>,
    /// The number of its parent.
    pub(crate) parent: Option<String>,
    /// All else, under the system's own names.
    pub(crate) properties: Properties,
}

/// One thing that is wrong with a file. It names the column and never the value, which may be a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataProblem {
    /// The file, as a person would open it.
    pub(crate) file: String,
    /// The line, from 1; `None` when it is about the whole file.
    pub(crate) line: Option<u64>,
    /// The column; empty when it is about the whole line.
    pub(crate) column: String,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl fmt::Display for DataProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.column.is_empty() {
            write!(f, ": {}", self.column)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The record's number, unique within the file. It is a text property too.
    Number,
    Text,
    Decimal,
    Boolean,
    /// A word of the system's list of statuses.
    Status,
    /// A user of the same system, by e-mail.
    Owner,
    /// Another line of the same file, by its number.
    Parent,
}

const fn columns(system: System) -> &'static [(&'static str, Kind)] {
    match system {
        System::CustomCrm => &[
            ("CustomerNumber", Kind::Number),
            ("Name", Kind::Text),
            ("OrganizationNumber", Kind::Text),
            ("VatNumber", Kind::Text),
            ("Email", Kind::Text),
            ("Phone", Kind::Text),
            ("Fax", Kind::Text),
            ("Website", Kind::Text),
            ("StreetAddress1", Kind::Text),
            ("StreetAddress2", Kind::Text),
            ("StreetAddress3", Kind::Text),
            ("ZipCode", Kind::Text),
            ("City", Kind::Text),
            ("State", Kind::Text),
            ("Country", Kind::Text),
            ("Language", Kind::Text),
            ("Currency", Kind::Text),
            ("Status", Kind::Status),
            ("PaymentTerms", Kind::Text),
            ("DiscountPercent", Kind::Decimal),
            ("CreditLimit", Kind::Decimal),
            ("Owner", Kind::Owner),
            ("Parent", Kind::Parent),
            ("Description", Kind::Text),
            ("IsActive", Kind::Boolean),
        ],
        System::ExactOnline => &[
            ("Code", Kind::Number),
            ("Name", Kind::Text),
            ("ChamberOfCommerce", Kind::Text),
            ("VATNumber", Kind::Text),
            ("Email", Kind::Text),
            ("Phone", Kind::Text),
            ("Fax", Kind::Text),
            ("Website", Kind::Text),
            ("AddressLine1", Kind::Text),
            ("AddressLine2", Kind::Text),
            ("AddressLine3", Kind::Text),
            ("Postcode", Kind::Text),
            ("City", Kind::Text),
            ("State", Kind::Text),
            ("Country", Kind::Text),
            ("Language", Kind::Text),
            ("SalesCurrency", Kind::Text),
            ("Status", Kind::Status),
            ("PaymentConditionSales", Kind::Text),
            ("DiscountSales", Kind::Decimal),
            ("CreditLineSales", Kind::Decimal),
            ("AccountManager", Kind::Owner),
            ("Parent", Kind::Parent),
            ("Remarks", Kind::Text),
            ("Blocked", Kind::Boolean),
        ],
    }
}

const fn statuses(system: System) -> &'static [&'static str] {
    match system {
        System::CustomCrm => &["None", "Suspect", "Prospect", "Customer"],
        System::ExactOnline => &["A", "S", "P", "C"],
    }
}

/// The file with a system's records.
pub(crate) const fn file_of(system: System) -> &'static str {
    match system {
        System::CustomCrm => CUSTOMERS,
        System::ExactOnline => ACCOUNTS,
    }
}

impl Book {
    /// The built-in book, or the one in `folder`. Fails with everything that is wrong with its files.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, Vec<DataProblem>> {
        let Some(folder) = folder else {
            return Self::read(&BUILT_IN.map(|(file, text)| (file.to_owned(), text.to_owned())));
        };
        let mut files = Vec::new();
        let mut problems = Vec::new();
        for (file, _) in BUILT_IN {
            let path = folder.join(file);
            match fs::read_to_string(&path) {
                Ok(text) => files.push((path.display().to_string(), text)),
                Err(error) => problems.push(DataProblem {
                    file: path.display().to_string(),
                    line: None,
                    column: String::new(),
                    what: format!("can't be read ({error}): put the file there, as UTF-8 text"),
                }),
            }
        }
        match <[(String, String); 3]>::try_from(files) {
            Ok(files) => Self::read(&files),
            Err(_) => Err(problems),
        }
    }

    /// Users, customers and accounts, as (file, content).
    fn read([users, customers, accounts]: &[(String, String); 3]) -> Result<Self, Vec<DataProblem>> {
        let mut problems = Vec::new();
        let people = read_people(users, &mut problems);
        let records = SystemPair {
            customcrm: read_records(System::CustomCrm, customers, &people, &mut problems),
            exactonline: read_records(System::ExactOnline, accounts, &people, &mut problems),
        };
        if problems.is_empty() { Ok(Self { people, records }) } else { Err(problems) }
    }
}

fn read_people((file, text): &(String, String), problems: &mut Vec<DataProblem>) -> SystemPair<Vec<Person>> {
    let mut people = SystemPair::<Vec<Person>>::default();
    let known = ["System", "FirstName", "LastName", "Email"];
    let table = Table::read(file, text, &known, &["System", "Email"], problems);
    let mut known = BTreeSet::new();
    for line in &table.lines {
        let system = line.text("System").and_then(System::from_name);
        if system.is_none() {
            problems.push(line.problem("System", "names no system: write customcrm or exactonline"));
        }
        let email = line.text("Email").filter(|email| email.contains('@'));
        if email.is_none() {
            problems.push(line.problem("Email", "is no e-mail address: write one, users are known by it"));
        }
        let (Some(system), Some(email)) = (system, email) else { continue };
        if !known.insert((system, email.to_lowercase())) {
            problems.push(line.problem("Email", "is that of an earlier line of this system: remove one"));
        }
        let names = [line.text("FirstName"), line.text("LastName")];
        let full_name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        people[system].push(Person { full_name, email: email.to_owned() });
    }
    for system in System::BOTH.into_iter().filter(|system| table.is_whole && people[*system].is_empty()) {
        problems.push(table.problem(format!("has no user of {system}: add one, somebody has to edit there")));
    }
    people
}

fn read_records(
    system: System,
    (file, text): &(String, String),
    people: &SystemPair<Vec<Person>>,
    problems: &mut Vec<DataProblem>,
) -> Vec<Entry> {
    let names: Vec<&str> = columns(system).iter().map(|(name, _)| *name).collect();
    let table = Table::read(file, text, &names, &["Name"], problems);
    let emails: BTreeSet<String> = people[system].iter().map(|person| person.email.to_lowercase()).collect();
    let mut entries = Vec::new();
    let mut numbers = BTreeMap::new();
    for line in &table.lines {
        let entry = read_entry(system, line, &emails, problems);
        if let Some(number) = entry.number.clone()
            && let Some(first) = numbers.insert(number, entry.line)
        {
            problems.push(line.problem(number_column(system), format!("is that of line {first}: keep one")));
        }
        entries.push((line, entry));
    }
    if table.is_whole && entries.is_empty() {
        problems.push(table.problem("holds no record: add one".to_owned()));
    }
    for (line, entry) in &entries {
        if entry.parent.as_ref().is_some_and(|parent| !numbers.contains_key(parent)) {
            let what = format!("is the {} of no line: correct it", number_column(system));
            problems.push(line.problem("Parent", what));
        }
    }
    parents_first(entries, &numbers, problems)
}

const fn number_column(system: System) -> &'static str {
    columns(system)[0].0
}

fn read_entry(
    system: System,
    line: &Line<'_>,
    emails: &BTreeSet<String>,
    problems: &mut Vec<DataProblem>,
) -> Entry {
    let mut entry =
        Entry { line: line.number, number: None, owner: None, parent: None, properties: Properties::new() };
    if line.text("Name").is_none() {
        problems.push(line.problem("Name", "is empty: a company needs a name"));
    }
    for (column, kind) in columns(system) {
        let Some(Cell(text)) = line.cell(column) else { continue };
        let content = match kind {
            Kind::Owner if !emails.contains(&text.to_lowercase()) => Err(format!(
                "is the e-mail address of no user of {system} in {USERS}: add the user, or correct it"
            )),
            Kind::Owner => {
                entry.owner = Some(text.to_lowercase());
                continue;
            }
            Kind::Parent => {
                entry.parent = Some(text.to_owned());
                continue;
            }
            Kind::Number => {
                entry.number = Some(text.to_owned());
                Ok(Content::from(text))
            }
            Kind::Text => Ok(Content::from(text)),
            Kind::Decimal => text
                .parse::<Decimal>()
                .map(Content::Number)
                .map_err(|_| "is no number: write it as 7500.50, without thousands separators".to_owned()),
            Kind::Boolean => text
                .to_lowercase()
                .parse()
                .map(Content::Boolean)
                .map_err(|_| "is neither true nor false: write one of them".to_owned()),
            Kind::Status if statuses(system).contains(&text) => Ok(Content::from(text)),
            Kind::Status => {
                Err(format!("is no status of {system}: write one of {}", statuses(system).join(", ")))
            }
        };
        match content {
            Ok(content) => {
                entry.properties.insert((*column).to_owned(), content);
            }
            Err(what) => problems.push(line.problem(column, what)),
        }
    }
    entry
}

/// Puts each entry behind its parent, else in the order of the file.
fn parents_first(
    mut waiting: Vec<(&Line<'_>, Entry)>,
    numbers: &BTreeMap<String, u64>,
    problems: &mut Vec<DataProblem>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut placed = BTreeSet::new();
    loop {
        let before = waiting.len();
        let mut still = Vec::new();
        for (line, entry) in waiting {
            let waits = entry
                .parent
                .as_ref()
                .is_some_and(|parent| numbers.contains_key(parent) && !placed.contains(parent));
            if waits {
                still.push((line, entry));
            } else {
                placed.extend(entry.number.clone());
                entries.push(entry);
            }
        }
        if still.len() == before {
            for (line, _) in &still {
                problems.push(line.problem("Parent", "leads back to this line: break the circle"));
            }
            return entries;
        }
        waiting = still;
    }
}
