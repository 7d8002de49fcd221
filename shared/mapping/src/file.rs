//! The pair file: as written, checked whole, and turned into a [`Pair`].

use std::collections::{BTreeMap, BTreeSet};

use link::{ConflictPolicy, Flow};
use model::{EntityName, PairName, PropertyName, System, SystemPair, Value};
use rust_decimal::Decimal;
use serde::Deserialize;
use toml::Spanned;

use crate::{Archive, Lens, Pair, Property};

/// Something in a pair file that can't work: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct FileProblem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub problem: String,
}

/// A place in a pair file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl Place {
    /// Where a file begins: for what is missing in it.
    pub const START: Self = Self { line: 1, column: 1 };

    /// A problem at this place.
    pub fn problem(self, file: &str, problem: String) -> FileProblem {
        FileProblem { file: file.to_owned(), line: self.line, column: self.column, problem }
    }

    fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pair: Spanned<String>,
    customcrm: Entity,
    exactonline: Entity,
    /// How a property that both sides changed is settled, unless its row says otherwise.
    conflict: Spanned<String>,
    match_keys: Vec<Spanned<String>>,
    search_own: Spanned<String>,
    property: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entity {
    entity: Spanned<String>,
    create: bool,
    archive: Option<Spanned<ArchiveRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveRow {
    property: String,
    value: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    customcrm: String,
    exactonline: String,
    edm: Spanned<String>,
    kind: Spanned<String>,
    direction: Option<Spanned<String>>,
    conflict: Option<Spanned<String>>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    keep_filled: bool,
    max: Option<usize>,
    pad: Option<usize>,
    #[serde(default)]
    upper: bool,
    #[serde(default)]
    compact: bool,
    #[serde(default)]
    inverted: bool,
    factor: Option<Spanned<String>>,
    places: Option<u32>,
    words: Option<BTreeMap<String, String>>,
    pair: Option<Spanned<String>>,
    /// The row rests where the pair that it refers to is not kept.
    #[serde(default)]
    optional: bool,
}

/// The keys that a row of each kind may carry beyond those that every row may.
const KIND_KEYS: [(&str, &[&str]); 9] = [
    ("text", &["max"]),
    ("code", &["max", "pad", "upper", "compact"]),
    ("email", &["max"]),
    ("country", &[]),
    ("enum", &["words"]),
    ("decimal", &["factor", "places"]),
    ("boolean", &["inverted"]),
    ("reference", &["pair", "optional"]),
    ("person", &[]),
];

impl Pair {
    /// Reads a pair file. `file` is its name for messages; `kept` are the pairs of this deployment, itself included.
    ///
    /// # Errors
    /// All that is wrong with the file, at once; a syntax error or an unknown key alone, because nothing can be
    /// said of what follows it.
    pub fn parse(file: &str, text: &str, kept: &BTreeSet<PairName>) -> Result<Self, Vec<FileProblem>> {
        let written: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            vec![Place::of(text, at).problem(file, error.message().to_owned())]
        })?;
        let mut reading = Reading { file, text, problems: Vec::new() };
        let pair = reading.pair(&written, kept);
        if reading.problems.is_empty() {
            Ok(pair.expect("a file without problems makes a pair"))
        } else {
            Err(reading.problems)
        }
    }

    /// The name in a pair file, read before the file is judged: each file must know which pairs are kept.
    pub fn name_in(text: &str) -> Option<PairName> {
        #[derive(Deserialize)]
        struct Name {
            pair: String,
        }
        toml::from_str::<Name>(text).ok().and_then(|name| PairName::parse(&name.pair).ok())
    }
}

struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<FileProblem>,
}

impl Reading<'_> {
    fn refuse<T>(&mut self, at: &Spanned<T>, problem: String) {
        self.problems.push(Place::of(self.text, at.span().start).problem(self.file, problem));
    }

    fn name<T, E: std::fmt::Display>(
        &mut self,
        at: &Spanned<String>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(at.get_ref()) {
            Ok(name) => Some(name),
            Err(error) => {
                self.refuse(at, error.to_string());
                None
            }
        }
    }

    fn pair(&mut self, file: &File, kept: &BTreeSet<PairName>) -> Option<Pair> {
        let name = self.name(&file.pair, PairName::parse);
        let crm = self.name(&file.customcrm.entity, EntityName::parse);
        let exact = self.name(&file.exactonline.entity, EntityName::parse);
        let conflict = self.conflict(&file.conflict);
        let mut properties = Vec::new();
        let mut resting = Vec::new();
        for row in &file.property {
            if let Some(property) = self.row(row, conflict.unwrap_or(ConflictPolicy::Ask)) {
                match &row.get_ref().pair {
                    Some(pair) if !kept.iter().any(|kept| kept.as_str() == pair.get_ref()) => {
                        if row.get_ref().optional {
                            resting.push(property.name);
                        } else {
                            self.refuse(pair, format!(
                                "the pair {:?} is not kept by this deployment: add its file, or write `optional = true` so that the row rests without it",
                                pair.get_ref()
                            ));
                        }
                    }
                    _ => properties.push(property),
                }
            }
        }
        self.written_once(file);
        let match_keys = self.known(&file.match_keys, &properties);
        let search_own = self.known(std::slice::from_ref(&file.search_own), &properties).pop();
        let archives = SystemPair {
            customcrm: self.archive(file.customcrm.archive.as_ref(), &properties),
            exactonline: self.archive(file.exactonline.archive.as_ref(), &properties),
        };
        Some(Pair {
            name: name?,
            file: self.file.to_owned(),
            entities: SystemPair { customcrm: crm?, exactonline: exact? },
            properties,
            match_keys,
            search_own: search_own?,
            creates: SystemPair { customcrm: file.customcrm.create, exactonline: file.exactonline.create },
            archives,
            resting,
        })
    }

    fn conflict(&mut self, word: &Spanned<String>) -> Option<ConflictPolicy> {
        match word.get_ref().as_str() {
            "crm" => Some(ConflictPolicy::Wins(System::CustomCrm)),
            "exact" => Some(ConflictPolicy::Wins(System::ExactOnline)),
            "newest" => Some(ConflictPolicy::Newest),
            "ask" => Some(ConflictPolicy::Ask),
            other => {
                self.refuse(
                    word,
                    format!("the conflict policy {other:?} is unknown: write crm, exact, newest or ask"),
                );
                None
            }
        }
    }

    fn flow(&mut self, word: Option<&Spanned<String>>) -> Option<Flow> {
        let Some(word) = word else { return Some(Flow::Both) };
        match word.get_ref().as_str() {
            "both" => Some(Flow::Both),
            "to-exact" => Some(Flow::To(System::ExactOnline)),
            "to-crm" => Some(Flow::To(System::CustomCrm)),
            other => {
                self.refuse(
                    word,
                    format!("the direction {other:?} is unknown: write both, to-exact or to-crm"),
                );
                None
            }
        }
    }

    fn row(&mut self, spanned: &Spanned<Row>, conflict: ConflictPolicy) -> Option<Property> {
        let row = spanned.get_ref();
        self.keys_fit_kind(spanned);
        let name = match PropertyName::parse(&row.customcrm) {
            Ok(name) => Some(name),
            Err(error) => {
                self.refuse(spanned, error.to_string());
                None
            }
        };
        let lens = self.lens(row);
        let flow = self.flow(row.direction.as_ref());
        let conflict = match &row.conflict {
            Some(word) => self.conflict(word),
            None => Some(conflict),
        };
        let lens = lens?;
        if !lens.edm_types().contains(&row.edm.get_ref().as_str()) {
            self.refuse(
                &row.edm,
                format!(
                    "{} can't hold a property of kind {:?}: it needs {}",
                    row.edm.get_ref(),
                    row.kind.get_ref(),
                    lens.edm_types().join(" or ")
                ),
            );
        }
        Some(Property {
            place: Place::of(self.text, spanned.span().start),
            name: name?,
            names: SystemPair { customcrm: row.customcrm.clone(), exactonline: row.exactonline.clone() },
            edm: row.edm.get_ref().clone(),
            lens,
            flow: flow?,
            conflict: conflict?,
            required: row.required,
            keep_filled: row.keep_filled,
        })
    }

    fn keys_fit_kind(&mut self, spanned: &Spanned<Row>) {
        let row = spanned.get_ref();
        let given = [
            ("max", row.max.is_some()),
            ("pad", row.pad.is_some()),
            ("upper", row.upper),
            ("compact", row.compact),
            ("inverted", row.inverted),
            ("factor", row.factor.is_some()),
            ("places", row.places.is_some()),
            ("words", row.words.is_some()),
            ("pair", row.pair.is_some()),
            ("optional", row.optional),
        ];
        let kind = row.kind.get_ref().as_str();
        let Some((_, allowed)) = KIND_KEYS.iter().find(|(known, _)| *known == kind) else { return };
        for (key, _) in given.into_iter().filter(|(key, given)| *given && !allowed.contains(key)) {
            self.refuse(spanned, format!("a row of kind {kind:?} has no key {key:?}: leave it out"));
        }
    }

    fn lens(&mut self, row: &Row) -> Option<Lens> {
        match row.kind.get_ref().as_str() {
            "text" => Some(Lens::Text { max: row.max }),
            "code" => Some(Lens::Code { upper: row.upper, compact: row.compact, pad: row.pad, max: row.max }),
            "email" => Some(Lens::Email { max: row.max }),
            "country" => Some(Lens::Country),
            "boolean" => Some(Lens::Boolean { inverted: row.inverted }),
            "person" => Some(Lens::Person),
            "enum" => self.words(row),
            "decimal" => self.decimal(row),
            "reference" => self.reference(row),
            other => {
                let known: Vec<&str> = KIND_KEYS.iter().map(|(kind, _)| *kind).collect();
                self.refuse(
                    &row.kind,
                    format!("the kind {other:?} is unknown: write one of {}", known.join(", ")),
                );
                None
            }
        }
    }

    fn words(&mut self, row: &Row) -> Option<Lens> {
        let Some(words) = row.words.clone().filter(|words| !words.is_empty()) else {
            self.refuse(&row.kind, "an enum needs its table: words = { CrmWord = \"ExactWord\" }".to_owned());
            return None;
        };
        let mut seen = BTreeSet::new();
        if let Some(twice) = words.values().find(|word| !seen.insert(word.as_str())) {
            self.refuse(&row.kind, format!(
                "two of CustomCRM's words stand for Exact's {twice:?}, so it could not be read back: give each its own"
            ));
            return None;
        }
        Some(Lens::Enum { words })
    }

    fn decimal(&mut self, row: &Row) -> Option<Lens> {
        let factor = match &row.factor {
            None => Decimal::ONE,
            Some(written) => match written.get_ref().parse::<Decimal>() {
                Ok(factor) if !factor.is_zero() => factor,
                _ => {
                    self.refuse(written, format!(
                        "{:?} is no number that a value can be multiplied by: write it as a text, such as \"0.01\"",
                        written.get_ref()
                    ));
                    return None;
                }
            },
        };
        Some(Lens::Decimal { factor, places: row.places.unwrap_or(10) })
    }

    fn reference(&mut self, row: &Row) -> Option<Lens> {
        let Some(pair) = &row.pair else {
            self.refuse(
                &row.kind,
                "a reference needs the pair whose links it goes through: pair = \"...\"".to_owned(),
            );
            return None;
        };
        self.name(pair, PairName::parse).map(|pair| Lens::Reference { pair })
    }

    /// Two rows that write one property would undo one another.
    fn written_once(&mut self, file: &File) {
        for system in System::BOTH {
            let mut seen = BTreeSet::new();
            for spanned in &file.property {
                let row = spanned.get_ref();
                let path = match system {
                    System::CustomCrm => &row.customcrm,
                    System::ExactOnline => &row.exactonline,
                };
                if !seen.insert(path) {
                    self.refuse(
                        spanned,
                        format!("another row already has {system}'s {path:?}: remove one of them"),
                    );
                }
            }
        }
    }

    fn known(&mut self, names: &[Spanned<String>], properties: &[Property]) -> Vec<PropertyName> {
        let mut known = Vec::new();
        for name in names {
            match properties.iter().find(|row| row.name.as_str() == name.get_ref()) {
                Some(row) => known.push(row.name.clone()),
                None => self
                    .refuse(name, format!("no row is called {:?}: name a row's `customcrm`", name.get_ref())),
            }
        }
        known
    }

    fn archive(&mut self, archive: Option<&Spanned<ArchiveRow>>, properties: &[Property]) -> Option<Archive> {
        let archive = archive?;
        let row = archive.get_ref();
        let found = properties.iter().find(|property| {
            property.name.as_str() == row.property && matches!(property.lens, Lens::Boolean { .. })
        });
        match found {
            Some(property) => {
                Some(Archive { property: property.name.clone(), value: Value::Boolean(row.value) })
            }
            None => {
                self.refuse(
                    archive,
                    format!("no row of kind \"boolean\" is called {:?}: name one", row.property),
                );
                None
            }
        }
    }
}
