//! What connections give to pair files, which call it `$name`.

use std::collections::BTreeSet;
use std::path::Path;

use mapping::{Constant, FileProblem, Pair};
use model::{Content, EntityName, RecordId};

use crate::{Config, ConnectionConfig, Pairs, Problem, ServiceError};

/// What can be given: its name, which is its key in the configuration too, and the entity of the record.
const NAMES: [(&str, &str); 2] = [("literal.account", "accounts"), ("literal.item", "items")];

/// A record of Exact that a connection gives to its pair files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What pair files call it, after the `$`, and the configuration of the connection too.
    pub name: &'static str,
    /// The entity that it is to be a record of.
    pub entity: EntityName,
    /// The record.
    pub record: RecordId,
}

impl ConnectionConfig {
    /// Everything that it gives.
    pub fn given(&self) -> Vec<Given> {
        let records = [&self.literal.account, &self.literal.item];
        let given = |((name, entity), record): ((&'static str, &str), &Option<RecordId>)| {
            let entity = EntityName::parse(entity).expect("the entities of Exact have plain names");
            Some(Given { name, entity, record: record.clone()? })
        };
        NAMES.into_iter().zip(records).filter_map(given).collect()
    }
}

/// What a pair asks its connection for, by name.
pub(crate) fn asked(pair: &Pair) -> BTreeSet<&str> {
    pair.constants.iter().flat_map(asked_by).collect()
}

/// What a pair asks for that no connection can give.
pub(crate) fn unknown(pair: &Pair) -> Vec<FileProblem> {
    let known = NAMES.map(|(name, _)| name);
    let problem = |constant: &Constant| {
        let name = asked_by(constant).into_iter().find(|name| !known.contains(name))?;
        let names = known.map(|name| format!("${name}")).join(" or ");
        let problem = format!("${name} is nothing that a connection can give; write {names}");
        Some(constant.place.problem(&pair.file, problem))
    };
    pair.constants.iter().filter_map(problem).collect()
}

/// Whether each connection gives what its pairs ask for. Tells all that is missing.
pub(crate) fn check(file: &Path, config: &Config, pairs: &Pairs) -> Result<(), ServiceError> {
    let mut problems = Vec::new();
    for connection in &config.connections {
        let given: BTreeSet<&str> = connection.given().iter().map(|given| given.name).collect();
        for (name, entity) in NAMES.iter().filter(|(name, _)| !given.contains(name)) {
            let asks = |pair: &&Pair| asked(pair).contains(name);
            let Some(pair) = pairs.of(connection.reading).iter().find(asks) else { continue };
            let (file, key) = match &connection.file {
                Some(file) => (file.clone(), (*name).to_owned()),
                None => (file.to_owned(), format!("connection.{}.{name}", connection.name)),
            };
            problems.push(Problem {
                file,
                line: None,
                key,
                value: None,
                what: format!("is missing, and every record that the pair {} makes is given it", pair.name),
                remedy: format!("give the GUID of one of Exact's {entity} there"),
            });
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(ServiceError::Configuration(problems)) }
}

fn asked_by(constant: &Constant) -> Vec<&str> {
    let mut names = Vec::new();
    let mut left = vec![&constant.content];
    while let Some(content) = left.pop() {
        match content {
            Content::Text(text) => names.extend(text.strip_prefix('$')),
            Content::List(list) => left.extend(list),
            Content::Object(object) => left.extend(object.values()),
            Content::Null | Content::Boolean(_) | Content::Number(_) => {}
        }
    }
    names
}
