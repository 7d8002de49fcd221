//! The pair files of a deployment.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use contract::{Names, PairEntities, Topology};
use mapping::{FileProblem, Lens, Pair, Place, Reading};
use model::{EntityName, PairName, System};

use crate::{ServiceError, given};

/// The pairs of a deployment in each reading that one of its connections keeps. Clones share them.
///
/// It is the list of all of them, those of the practical reading first: what both readings keep is there twice.
#[derive(Debug, Clone)]
pub struct Pairs {
    all: Arc<[Pair]>,
    /// How many of them are of the practical reading.
    practical: usize,
    /// Those whose queues this process serves; `None`: all.
    served: Option<Arc<BTreeSet<PairName>>>,
}

impl Pairs {
    /// Reads the pair files of a folder, in each of these readings.
    ///
    /// Fails as [`load_pairs`] does, and where a pair is of other entities in the other reading: it has one queue.
    pub fn load(folder: &Path, readings: &BTreeSet<Reading>) -> Result<Self, ServiceError> {
        let files = pair_files(folder)?;
        let texts: Vec<(String, &str)> =
            files.iter().map(|(name, text)| (name.clone(), text.as_str())).collect();
        let (mut all, mut practical, mut problems) = (Vec::new(), 0, Vec::new());
        for reading in readings {
            match parse_pairs(&texts, *reading) {
                Ok(pairs) => all.extend(pairs),
                // What is wrong with a file is mostly wrong in both readings.
                Err(ServiceError::Pairs(found)) => {
                    let new: Vec<FileProblem> =
                        found.into_iter().filter(|problem| !problems.contains(problem)).collect();
                    problems.extend(new);
                }
                Err(error) => return Err(error),
            }
            if *reading == Reading::Practical {
                practical = all.len();
            }
        }
        let pairs = Self { all: all.into(), practical, served: None };
        problems.extend(pairs.of_other_entities());
        if problems.is_empty() { Ok(pairs) } else { Err(ServiceError::Pairs(problems)) }
    }

    /// Pairs that have been read in this one reading.
    pub fn in_reading(pairs: Vec<Pair>, reading: Reading) -> Self {
        let practical = if reading == Reading::Practical { pairs.len() } else { 0 };
        Self { practical, all: pairs.into(), served: None }
    }

    /// The pairs of a reading, in the order of their files' names; none of a reading that no connection keeps.
    pub fn of(&self, reading: Reading) -> &[Pair] {
        let (practical, literal) = self.all.split_at(self.practical);
        match reading {
            Reading::Practical => practical,
            Reading::Literal => literal,
        }
    }

    /// Each pair once, whatever its reading: for queues and entities, which are the same in both.
    pub fn once(&self) -> impl Iterator<Item = &Pair> {
        let practical = self.of(Reading::Practical);
        let only_literal = |pair: &&Pair| practical.iter().all(|other: &Pair| other.name != pair.name);
        practical.iter().chain(self.of(Reading::Literal).iter().filter(only_literal))
    }

    /// The same pairs in a process that serves the queues of these alone. Fails where one is called otherwise.
    pub fn serving(self, names: &[String]) -> Result<Self, ServiceError> {
        let known: BTreeSet<PairName> = self.once().map(|pair| pair.name.clone()).collect();
        let is_known = |name: &&String| known.iter().any(|known| known.as_str() == name.as_str());
        if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
            return Err(ServiceError::UnknownPair {
                name: unknown.clone(),
                pairs: known.into_iter().collect(),
            });
        }
        let chosen = known.into_iter().filter(|known| names.iter().any(|name| name == known.as_str()));
        Ok(Self { served: Some(Arc::new(chosen.collect())), ..self })
    }

    /// Each pair once whose queue this process serves.
    pub fn served(&self) -> impl Iterator<Item = &Pair> {
        self.once().filter(|pair| self.served.as_ref().is_none_or(|served| served.contains(&pair.name)))
    }

    /// The readings that they are in.
    pub(crate) fn readings(&self) -> BTreeSet<Reading> {
        Reading::ALL.into_iter().filter(|reading| !self.of(*reading).is_empty()).collect()
    }

    /// These pairs, with those of a reading that only `new` has; and whether those of another reading are otherwise there.
    /// Fails where both is so: the files of all readings are the same.
    pub(crate) fn with_readings_of(&self, new: &Self) -> Result<(Self, bool), ServiceError> {
        let before = self.readings();
        let have_changed = before.iter().any(|reading| self.of(*reading) != new.of(*reading));
        let has_more = new.readings().difference(&before).next().is_some();
        match (have_changed, has_more) {
            (true, true) => Err(ServiceError::PairsChanged),
            (false, true) => Ok((Self { served: self.served.clone(), ..new.clone() }, false)),
            (have_changed, false) => Ok((self.clone(), have_changed)),
        }
    }

    fn of_other_entities(&self) -> Vec<FileProblem> {
        let differ = |literal: &Pair| {
            self.of(Reading::Practical)
                .iter()
                .any(|pair| pair.name == literal.name && pair.entities != literal.entities)
        };
        let problem = |pair: &Pair| {
            let what = "the entities are others in the literal reading; give the pair the same ones in both";
            Place::START.problem(&pair.file, what.to_owned())
        };
        self.of(Reading::Literal).iter().filter(|pair| differ(pair)).map(problem).collect()
    }
}

impl Deref for Pairs {
    type Target = [Pair];

    fn deref(&self) -> &[Pair] {
        &self.all
    }
}

/// Pairs of the practical reading.
impl From<Vec<Pair>> for Pairs {
    fn from(pairs: Vec<Pair>) -> Self {
        Self::in_reading(pairs, Reading::Practical)
    }
}

/// Reads all pair files (`*.toml`) of a folder in one reading, in the order of their names.
///
/// Fails with everything that is wrong with any of them, and where there is none.
pub fn load_pairs(folder: &Path, reading: Reading) -> Result<Vec<Pair>, ServiceError> {
    let files = pair_files(folder)?;
    let texts: Vec<(String, &str)> = files.iter().map(|(name, text)| (name.clone(), text.as_str())).collect();
    parse_pairs(&texts, reading)
}

/// Reads pair files that are already in memory in one reading: (name for messages, text).
///
/// Fails with everything that is wrong with any of them, and with how they go together.
pub fn parse_pairs(files: &[(String, &str)], reading: Reading) -> Result<Vec<Pair>, ServiceError> {
    let kept: BTreeSet<_> = files.iter().filter_map(|(_, text)| Pair::name_in(text)).collect();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut problems = Vec::new();
    for (name, text) in files {
        match Pair::parse(name, text, reading, &kept) {
            Ok(pair) if pairs.iter().any(|other| other.name == pair.name) => {
                return Err(ServiceError::PairTwice { pair: pair.name, file: name.clone() });
            }
            Ok(pair) => {
                problems.extend(given::unknown(&pair));
                pairs.push(pair);
            }
            Err(found) => problems.extend(found),
        }
    }
    let unread: BTreeSet<PairName> =
        kept.into_iter().filter(|name| pairs.iter().all(|pair| pair.name != *name)).collect();
    if unread.is_empty() {
        problems.extend(mapping::meet(&pairs));
    } else {
        // What goes through a pair whose own file is wrong would be told that it is not there.
        let whole: Vec<Pair> = pairs
            .iter()
            .filter(|pair| !goes_through(pair).any(|name| unread.contains(name)))
            .cloned()
            .collect();
        problems.extend(mapping::meet(&whole));
    }
    if problems.is_empty() { Ok(pairs) } else { Err(ServiceError::Pairs(problems)) }
}

/// The pairs that a pair takes something from.
fn goes_through(pair: &Pair) -> impl Iterator<Item = &PairName> {
    let raised = pair.raises.iter().filter_map(|raises| match &pair.property(&raises.reference)?.lens {
        Lens::Reference { pair, .. } => Some(pair),
        _ => None,
    });
    let inherited = pair.stand_in.iter().filter_map(|stand_in| stand_in.inherits.as_ref());
    inherited.chain(&pair.adopts).map(|through| &through.pair).chain(raised)
}

/// The exchanges and queues of a deployment of this namespace that keeps these pairs.
pub fn topology<'a>(namespace: &str, pairs: impl IntoIterator<Item = &'a Pair>) -> Topology {
    let entities = pairs.into_iter().map(|pair| PairEntities {
        pair: pair.name.clone(),
        customcrm: pair.entities.customcrm.clone(),
        exactonline: pair.entities.exactonline.clone(),
    });
    Topology::new(Names::new(namespace), &entities.collect::<Vec<_>>())
}

/// The entities that these pairs keep in a system, each once.
pub fn entities(pairs: &[Pair], system: System) -> BTreeSet<EntityName> {
    pairs.iter().map(|pair| pair.entities[system].clone()).collect()
}

/// The properties of an entity that any of these pairs maps, each once: what a read has to select.
pub fn selected(pairs: &[Pair], system: System, entity: &EntityName) -> Vec<String> {
    each_once(pairs, system, entity, Pair::names)
}

/// The properties of the lines of an entity that any of these pairs maps, each once; none where it has no lines.
pub fn selected_of_lines(pairs: &[Pair], system: System, entity: &EntityName) -> Vec<String> {
    each_once(pairs, system, entity, Pair::line_names)
}

fn each_once(
    pairs: &[Pair],
    system: System,
    entity: &EntityName,
    names: for<'a> fn(&'a Pair, System) -> Vec<&'a str>,
) -> Vec<String> {
    let of_entity = pairs.iter().filter(|pair| pair.entities[system] == *entity);
    let names: BTreeSet<&str> = of_entity.flat_map(|pair| names(pair, system)).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The pair files of a folder, by their names: (name for messages, text).
fn pair_files(folder: &Path) -> Result<Vec<(String, String)>, ServiceError> {
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
    Ok(files.into_iter().map(|(path, text)| (path.display().to_string(), text)).collect())
}
