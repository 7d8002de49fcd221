//! The pair files of a deployment.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mapping::Pair;
use model::{EntityName, System};

use crate::ServiceError;

/// Reads all pair files (`*.toml`) of a folder, in the order of their names.
///
/// Fails with everything that is wrong with any of them, and where there is none.
pub fn load_pairs(folder: &Path) -> Result<Vec<Pair>, ServiceError> {
    let unreadable = |file: &Path| {
        let file = file.to_owned();
        move |source| ServiceError::UnreadablePair { file, source }
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            files.push((path, text));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(ServiceError::NoPairs { folder: folder.to_owned() });
    }
    let texts: Vec<(String, &str)> =
        files.iter().map(|(path, text)| (path.display().to_string(), text.as_str())).collect();
    parse_pairs(&texts)
}

/// The entities that these pairs keep in a system, each once.
pub fn entities(pairs: &[Pair], system: System) -> BTreeSet<EntityName> {
    pairs.iter().map(|pair| pair.entities[system].clone()).collect()
}

/// The properties of an entity that any of these pairs maps, each once: what a read has to select.
pub fn selected(pairs: &[Pair], system: System, entity: &EntityName) -> Vec<String> {
    let names =
        pairs.iter().filter(|pair| pair.entities[system] == *entity).flat_map(|pair| pair.names(system));
    names.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

/// Reads pair files that are already in memory: (name for messages, text).
pub fn parse_pairs(files: &[(String, &str)]) -> Result<Vec<Pair>, ServiceError> {
    let kept: BTreeSet<_> = files.iter().filter_map(|(_, text)| Pair::name_in(text)).collect();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut problems = Vec::new();
    for (name, text) in files {
        match Pair::parse(name, text, &kept) {
            Ok(pair) if pairs.iter().any(|other| other.name == pair.name) => {
                return Err(ServiceError::PairTwice { pair: pair.name, file: name.clone() });
            }
            Ok(pair) => pairs.push(pair),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(pairs) } else { Err(ServiceError::Pairs(problems)) }
}
