//! What the demo sees: both systems from inside, the links, and how long each edit takes to arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use link::{Link, Status};
use mapping::{Lookups, Pair};
use model::{ConnectionName, LinkId, Properties, PropertyName, RecordId, System, SystemPair, Value, View};
use store::{Links, Store};

use super::DemoError;
use super::compare::{Difference, Holdings, differences, name_of};
use super::systems::Systems;

/// Both systems' records at one moment.
pub(crate) struct Sight {
    /// Under the systems' own names.
    pub(crate) records: SystemPair<BTreeMap<RecordId, Properties>>,
    /// Those that our own user changed last.
    ours: SystemPair<BTreeSet<RecordId>>,
    /// When they had been looked at.
    at: Instant,
    took: Duration,
}

/// An edit that has not arrived yet.
struct Outstanding {
    system: System,
    record: RecordId,
    values: View,
    since: Instant,
}

/// How the sides stand when all has come to rest, or when there was no more time for it.
pub(crate) struct Verdict {
    /// Everything on which they do not agree.
    pub(crate) differences: Vec<Difference>,
    /// Conflicts that wait for a person.
    pub(crate) conflicts: usize,
}

/// Watches one pair.
pub(crate) struct Watch<S> {
    pair: Pair,
    links: Links<S>,
    connection: ConnectionName,
    /// Knows the users and the partners so far.
    lookups: Lookups,
    partners: BTreeMap<LinkId, SystemPair<RecordId>>,
    link_of: BTreeMap<(System, RecordId), LinkId>,
    outstanding: Vec<Outstanding>,
    lags: Vec<Duration>,
    edits: usize,
}

impl Sight {
    /// Looks at both systems.
    pub(crate) fn of(systems: &Systems) -> Result<Self, DemoError> {
        let began = Instant::now();
        let records = SystemPair {
            customcrm: systems.records(System::CustomCrm)?,
            exactonline: systems.records(System::ExactOnline)?,
        };
        let mut ours = SystemPair::<BTreeSet<RecordId>>::default();
        for system in System::BOTH {
            let by_us = records[system].iter().filter(|(_, properties)| systems.is_ours(system, properties));
            ours[system] = by_us.map(|(record, _)| record.clone()).collect();
        }
        let at = Instant::now();
        Ok(Self { records, ours, at, took: at.duration_since(began) })
    }

    /// How long the look took.
    pub(crate) const fn took(&self) -> Duration {
        self.took
    }
}

impl<S: Store> Watch<S> {
    /// Begins to watch; nothing is linked yet.
    pub(crate) fn new(pair: Pair, links: Links<S>, systems: &Systems) -> Self {
        let mut lookups = Lookups::default();
        for system in System::BOTH {
            let people = systems.people(system).iter();
            lookups.people[system] = people.map(|person| (person.id.clone(), person.email.clone())).collect();
        }
        Self {
            pair,
            links,
            connection: Systems::connection(),
            lookups,
            partners: BTreeMap::new(),
            link_of: BTreeMap::new(),
            outstanding: Vec::new(),
            lags: Vec::new(),
            edits: 0,
        }
    }

    /// The pair.
    pub(crate) const fn pair(&self) -> &Pair {
        &self.pair
    }

    /// What references and users stand for, as far as it is known.
    pub(crate) const fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// Who is linked with whom.
    pub(crate) fn partners(&self) -> Vec<SystemPair<RecordId>> {
        self.partners.values().cloned().collect()
    }

    /// How many are linked.
    pub(crate) fn linked(&self) -> usize {
        self.partners.len()
    }

    /// How many edits were made, and how long each took that has arrived.
    pub(crate) fn edits(&self) -> (usize, &[Duration]) {
        (self.edits, &self.lags)
    }

    /// The companies of both systems, a linked one counted once. A record of our own making that is not linked yet is
    /// one that is about to be.
    pub(crate) fn companies(&self, sight: &Sight) -> usize {
        let alone = System::BOTH.map(|system| {
            let is_alone = |record: &&RecordId| !self.link_of.contains_key(&(system, (*record).clone()));
            let by_people = |record: &&RecordId| !sight.ours[system].contains(*record);
            sight.records[system].keys().filter(is_alone).filter(by_people).count()
        });
        self.partners.len() + alone.iter().sum::<usize>()
    }

    /// A record as the pair sees it.
    pub(crate) fn view(&self, sight: &Sight, system: System, record: &RecordId) -> Option<View> {
        let properties = sight.records[system].get(record)?;
        Some(self.pair.view(system, properties, &self.lookups).view)
    }

    /// The properties of two partners that no person should touch now: those of edits that are under way, and those
    /// on which the partners do not agree.
    pub(crate) fn busy(
        &self,
        partners: &SystemPair<RecordId>,
        views: &SystemPair<View>,
    ) -> BTreeSet<PropertyName> {
        let under_way = self.outstanding.iter().filter(|edit| partners[edit.system] == edit.record);
        let edited = under_way.flat_map(|edit| edit.values.keys().cloned());
        let unequal = self.pair.properties.iter().filter(|row| {
            let value = |system: System| views[system].get(&row.name).unwrap_or(&Value::Empty);
            value(System::CustomCrm) != value(System::ExactOnline)
        });
        edited.chain(unequal.map(|row| row.name.clone())).collect()
    }

    /// From now on, these values of an edit that was just answered are waited for on the other side.
    pub(crate) fn expect(&mut self, system: System, record: RecordId, values: View) {
        self.edits += 1;
        self.outstanding.push(Outstanding { system, record, values, since: Instant::now() });
    }

    /// Takes in which links there are by now, and which edits have arrived.
    pub(crate) async fn update(&mut self, sight: &Sight) -> Result<(), DemoError> {
        for id in self.links.all(&self.connection, &self.pair.name).await? {
            if !self.partners.contains_key(&id)
                && let Some(stored) = self.links.find(&self.connection, &self.pair.name, &id).await?
                && let Some(partners) = partners_of(&stored.link)
            {
                self.know(id, partners);
            }
        }
        let waiting = std::mem::take(&mut self.outstanding);
        for edit in waiting {
            if self.has_arrived(sight, &edit) {
                self.lags.push(sight.at.saturating_duration_since(edit.since));
            } else {
                self.outstanding.push(edit);
            }
        }
        Ok(())
    }

    /// Whether nothing is under way and both sides agree on everything.
    pub(crate) async fn is_at_rest(&self, sight: &Sight) -> Result<bool, DemoError> {
        if !self.outstanding.is_empty() || self.companies(sight) != self.linked() {
            return Ok(false);
        }
        if !self.links.pending(&self.connection, &self.pair.name).await?.is_empty() {
            return Ok(false);
        }
        Ok(self.verdict(sight).await?.differences.is_empty())
    }

    /// Compares both sides, by the links as they are stored.
    pub(crate) async fn verdict(&self, sight: &Sight) -> Result<Verdict, DemoError> {
        let mut holdings = Holdings::default();
        let mut lookups = Lookups { people: self.lookups.people.clone(), ..Lookups::default() };
        let mut conflicts = 0;
        for id in self.links.all(&self.connection, &self.pair.name).await? {
            let Some(stored) = self.links.find(&self.connection, &self.pair.name, &id).await? else {
                continue;
            };
            let link = stored.link;
            let is_open = matches!(link.status, Status::Ambiguous(_) | Status::DeletedAgainstEdit);
            conflicts += usize::from(is_open || !link.conflicts.is_empty());
            match partners_of(&link) {
                Some(partners) => {
                    know(&mut lookups, &self.pair, &id, &partners);
                    holdings.partners.push(partners);
                }
                None => holdings.alone.extend(why_alone(&link)),
            }
        }
        for system in System::BOTH {
            let view = |(record, properties): (&RecordId, &Properties)| {
                (record.clone(), self.pair.view(system, properties, &lookups).view)
            };
            holdings.views[system] = sight.records[system].iter().map(view).collect();
        }
        let mut differences = differences(&self.pair, &holdings);
        differences.extend(self.outstanding.iter().map(|edit| {
            Difference::Lost {
                system: edit.system,
                name: holdings.views[edit.system]
                    .get(&edit.record)
                    .map_or_else(|| edit.record.to_string(), |view| name_of(&self.pair, view)),
                properties: edit.values.keys().cloned().collect(),
            }
        }));
        Ok(Verdict { differences, conflicts })
    }

    fn know(&mut self, id: LinkId, partners: SystemPair<RecordId>) {
        for system in System::BOTH {
            self.link_of.insert((system, partners[system].clone()), id.clone());
        }
        know(&mut self.lookups, &self.pair, &id, &partners);
        self.partners.insert(id, partners);
    }

    fn has_arrived(&self, sight: &Sight, edit: &Outstanding) -> bool {
        let Some(link) = self.link_of.get(&(edit.system, edit.record.clone())) else { return false };
        let other = edit.system.other();
        let seen = self.partners.get(link).and_then(|partners| self.view(sight, other, &partners[other]));
        seen.is_some_and(|view| {
            edit.values.iter().all(|(name, value)| view.get(name).unwrap_or(&Value::Empty) == value)
        })
    }
}

fn know(lookups: &mut Lookups, pair: &Pair, id: &LinkId, partners: &SystemPair<RecordId>) {
    for system in System::BOTH {
        lookups.links.insert((pair.name.clone(), system, partners[system].clone()), id.clone());
        lookups.records.insert((pair.name.clone(), id.clone(), system), partners[system].clone());
    }
}

fn partners_of(link: &Link) -> Option<SystemPair<RecordId>> {
    Some(SystemPair {
        customcrm: link.record(System::CustomCrm)?.clone(),
        exactonline: link.record(System::ExactOnline)?.clone(),
    })
}

fn why_alone(link: &Link) -> Option<((System, RecordId), String)> {
    let (system, record) =
        System::BOTH.into_iter().find_map(|system| Some((system, link.record(system)?.clone())))?;
    let why = match (&link.status, &link.rejected[system.other()]) {
        (_, Some(rejection)) => format!("{} refused it: {}", system.other(), rejection.words),
        (Status::Ambiguous(candidates), None) => {
            format!("its partner is not certain ({} candidate(s)): a person decides", candidates.len())
        }
        (
            Status::Unmatched
            | Status::Linked
            | Status::Missing
            | Status::DeletedAgainstEdit
            | Status::Ended
            | Status::Unlinked,
            None,
        ) => "its partner was still to be made".to_owned(),
    };
    Some(((system, record), why))
}
