//! What must hold once all rests, and the story of what does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use link::{Flow, Link, Status};
use mapping::{Lookups, OnDelete, Pair};
use model::{
    Content, LineKey, PairName, Properties, PropertyName, RecordId, System, SystemPair, Value, View,
};
use store::{Links, LinksError, Store};

use crate::Sides;
use crate::hand::{lines_marked, shows};
use crate::ledger::{Story, is_kept};
use crate::people::{Agreed, People};
use crate::things::{Kind, Place, QUOTATIONS, Thing, place};

/// Rows of contacts that Exact derives from the account: its feed tells them with the contact's next change only, which
/// is a known limit of the product.
const TOLD_LATE: [&str; 6] = ["StreetAddress1", "ZipCode", "City", "State", "Country", "IsPrimary"];

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// What.
    pub what: String,
    /// The thing that it is about.
    pub thing: Option<Thing>,
    /// The records and links that it is about.
    pub about: Vec<String>,
    /// The links whose histories tell more.
    pub links: Vec<(PairName, model::LinkId)>,
}

impl Breach {
    /// Something that is about no record.
    pub fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), thing: None, about: Vec::new(), links: Vec::new() }
    }

    fn of_link(link: &Link, what: impl Into<String>) -> Self {
        let records = System::BOTH.into_iter().filter_map(|system| link.record(system));
        let mut about: Vec<String> = records.map(ToString::to_string).collect();
        about.push(link.id.to_string());
        Self {
            what: format!("{}: {}", link.pair, what.into()),
            thing: None,
            about,
            links: vec![(link.pair.clone(), link.id.clone())],
        }
    }
}

/// All links, and what both systems hold.
pub struct Sight {
    links: Vec<Arc<Link>>,
    records: BTreeMap<(System, String), BTreeMap<RecordId, Properties>>,
    lookups: Lookups,
}

impl Sight {
    /// Looks at everything.
    pub async fn of(
        sides: &Sides,
        pairs: &[Pair],
        links: &Links<impl Store>,
        connection: &model::ConnectionName,
    ) -> Result<Self, LinksError> {
        let all = all_links(pairs, links, connection).await?;
        let mut records = BTreeMap::new();
        for pair in pairs {
            for system in System::BOTH {
                let entity = pair.entities[system].as_str();
                let key = (system, entity.to_owned());
                records.entry(key).or_insert_with(|| sides.all(system, place(system, entity)));
            }
        }
        let mut lookups = Lookups { lists: links.lists(connection).await?, ..Lookups::default() };
        for system in System::BOTH {
            lookups.people[system] = links.people(connection, system).await?.unwrap_or_default();
        }
        for link in all.iter().filter(|link| link.status == Status::Linked && link.has_both()) {
            for system in System::BOTH {
                let Some(record) = link.record(system) else { continue };
                lookups.links.insert((link.pair.clone(), system, record.clone()), link.id.clone());
                lookups.records.insert((link.pair.clone(), link.id.clone(), system), record.clone());
            }
        }
        lookups.today = ambient::today();
        Ok(Self { links: all, records, lookups })
    }

    fn properties(&self, pair: &Pair, system: System, record: &RecordId) -> Option<&Properties> {
        self.records.get(&(system, pair.entities[system].as_str().to_owned()))?.get(record)
    }

    /// On what the two sides of links do not agree.
    pub fn disagreements(&self, pairs: &[Pair]) -> Vec<Breach> {
        let mut found = Vec::new();
        for link in &self.links {
            let pair = pairs.iter().find(|pair| pair.name == link.pair).unwrap();
            if !pair.is_membership {
                found.extend(self.of_link(pair, link));
            }
        }
        found.extend(self.memberships(pairs));
        found
    }

    fn of_link(&self, pair: &Pair, link: &Link) -> Vec<Breach> {
        let mut found = Vec::new();
        for system in System::BOTH {
            if let Some(rejection) = &link.rejected[system] {
                found.push(Breach::of_link(link, format!("{} refused: {}", system.name(), rejection.words)));
            }
        }
        match &link.status {
            Status::Linked => {}
            Status::Unmatched | Status::Ended | Status::Missing => return found,
            status => {
                found.push(Breach::of_link(link, format!("waits for a person: {status:?}")));
                return found;
            }
        }
        let mut views = SystemPair::<View>::default();
        for system in System::BOTH {
            let Some(record) = link.record(system) else {
                found.push(Breach::of_link(link, format!("is linked without a record in {}", system.name())));
                return found;
            };
            let Some(properties) = self.properties(pair, system, record) else {
                found.push(Breach::of_link(link, format!("its record in {} is not there", system.name())));
                return found;
            };
            views[system] = link.tied(system, pair.view(system, properties, &self.lookups).view);
        }
        for property in &link.conflicts {
            found.push(Breach::of_link(link, format!("{property} is held for a person")));
        }
        let unequal = unequal(pair, link, &views);
        found.extend(unequal.into_iter().map(|words| Breach::of_link(link, words)));
        found
    }

    /// Whose quotations are whose: each with a sales person whom both know belongs to that user.
    fn memberships(&self, pairs: &[Pair]) -> Vec<Breach> {
        let mut found = Vec::new();
        for pair in pairs.iter().filter(|pair| pair.is_membership) {
            let users = &self.lookups.people.customcrm;
            let quotations =
                &self.records[&(System::ExactOnline, pair.entities.exactonline.as_str().to_owned())];
            for (quotation, properties) in quotations {
                let person = properties.get("SalesPerson").and_then(Content::as_text);
                let email = person
                    .and_then(|person| model::UserId::parse(person).ok())
                    .and_then(|person| self.lookups.people.exactonline.get(&person));
                let user = email
                    .and_then(|email| users.iter().find(|(_, known)| *known == email))
                    .map(|(user, _)| user);
                let of = |link: &&Link| {
                    link.pair == pair.name && link.record(System::ExactOnline) == Some(quotation)
                };
                let links: Vec<&Link> = self.links.iter().map(Arc::as_ref).filter(of).collect();
                let told: Vec<&str> = links
                    .iter()
                    .filter(|link| link.status == Status::Linked)
                    .filter_map(|link| Some(link.record(System::CustomCrm)?.as_str()))
                    .collect();
                let wanted: Vec<&str> = user.iter().map(|user| user.as_str()).collect();
                if told != wanted {
                    let mut breach = Breach::of(format!(
                        "{}: the quotation's user is {wanted:?}, told is {told:?}",
                        pair.name
                    ));
                    breach.about.push(quotation.to_string());
                    breach.links = links.iter().map(|link| (link.pair.clone(), link.id.clone())).collect();
                    found.push(breach);
                }
            }
        }
        found
    }

    /// What is wrong with the links of a thing that must be kept in this pair.
    fn unlinked(&self, pair: &PairName, records: &SystemPair<RecordId>) -> Option<Breach> {
        let mine = |link: &&Link| {
            link.pair == *pair
                && System::BOTH.into_iter().any(|system| link.record(system) == Some(&records[system]))
        };
        let links: Vec<&Link> = self.links.iter().map(Arc::as_ref).filter(mine).collect();
        let good = |link: &&Link| {
            link.status == Status::Linked
                && System::BOTH.into_iter().all(|system| link.record(system) == Some(&records[system]))
        };
        if links.len() == 1 && links.iter().all(good) {
            return None;
        }
        let told: Vec<String> = links.iter().map(|link| format!("{} ({:?})", link.id, link.status)).collect();
        let mut breach =
            Breach::of(format!("{pair}: its two records are not in one link: {}", told.join(", ")));
        breach.links = links.iter().map(|link| (link.pair.clone(), link.id.clone())).collect();
        breach.about = System::BOTH.map(|system| records[system].to_string()).into();
        Some(breach)
    }
}

/// All links of these pairs.
async fn all_links(
    pairs: &[Pair],
    links: &Links<impl Store>,
    connection: &model::ConnectionName,
) -> Result<Vec<Arc<Link>>, LinksError> {
    let mut all = Vec::new();
    for pair in pairs {
        for id in links.all(connection, &pair.name).await? {
            if let Some(stored) = links.find(connection, &pair.name, &id).await? {
                all.push(stored.link);
            }
        }
    }
    Ok(all)
}

/// The records whose links know what both sides agreed on, each with its own keys of the lines of which that holds too.
pub async fn agreed(
    pairs: &[Pair],
    links: &Links<impl Store>,
    connection: &model::ConnectionName,
) -> Result<Agreed, LinksError> {
    let all = all_links(pairs, links, connection).await?;
    let linked = all.iter().filter(|link| link.status == Status::Linked && !link.agreed.is_empty());
    let records = linked.flat_map(|link| {
        let of = |system| {
            let agreed: BTreeSet<LineKey> = link.agreed.keys().filter_map(PropertyName::line).collect();
            let lines = link.lines.iter().filter(|(tie, _)| agreed.contains(*tie));
            let lines = lines.filter_map(|(_, keys)| keys[system].clone()).collect();
            Some(((link.pair.clone(), system, link.record(system)?.clone()), lines))
        };
        System::BOTH.into_iter().filter_map(of).collect::<Vec<_>>()
    });
    Ok(records.collect())
}

/// The rows and cells that are not equal on both sides, though the pair keeps them so.
fn unequal(pair: &Pair, link: &Link, views: &SystemPair<View>) -> Vec<String> {
    let rules = pair.policy(ambient::today()).rules;
    let names: BTreeSet<&PropertyName> = views.customcrm.keys().chain(views.exactonline.keys()).collect();
    let value =
        |system: System, name: &PropertyName| views[system].get(name).cloned().unwrap_or(Value::Empty);
    let mut found = Vec::new();
    for name in names {
        let Some(rule) = rules.get(&name.row()) else { continue };
        let told_late = pair.name.as_str() == Kind::Contact.pair() && TOLD_LATE.contains(&name.as_str());
        let (crm, exact) = (value(System::CustomCrm, name), value(System::ExactOnline, name));
        if told_late || crm == exact {
            continue;
        }
        let agreed = link.agreed.get(name);
        let is_agreed = agreed.is_some_and(|agreed| agreed.customcrm == crm && agreed.exactonline == exact);
        // What stands in for an empty reference is agreed on as it is.
        if is_agreed && rule.stand_in {
            continue;
        }
        // What another pair writes is only followed: an edit of the CRM's own stands until the next one of Exact.
        let follows = link.follows.is_some() || matches!(rule.flow, Flow::Follow(_));
        if follows && agreed.is_some_and(|agreed| agreed.exactonline == exact) {
            continue;
        }
        found.push(format!("{name} is \"{crm}\" in customcrm and \"{exact}\" in exactonline"));
    }
    found
}

impl People {
    /// What did not become of what people did.
    pub fn losses(&mut self, sides: &Sides, sight: &Sight) -> Vec<Breach> {
        let things: Vec<(Thing, Story)> =
            self.ledger.things.iter().map(|(thing, story)| (thing.clone(), story.clone())).collect();
        let mut found = Vec::new();
        for (thing, story) in things {
            let mut of_thing = self.presence(sides, &thing, &story, sight);
            if of_thing.is_empty() && story.deleted.is_none() {
                of_thing.extend(self.lost_words(sides, &thing, &story));
            }
            for mut breach in of_thing {
                for kind in [thing.kind, Kind::Order] {
                    for system in System::BOTH {
                        let records = sides.marked(system, kind, &thing.mark);
                        breach.about.extend(records.keys().map(ToString::to_string));
                        for link in &sight.links {
                            if link.record(system).is_some_and(|record| records.contains_key(record)) {
                                breach.links.push((link.pair.clone(), link.id.clone()));
                            }
                        }
                    }
                }
                breach.links.sort();
                breach.links.dedup();
                breach.thing = Some(thing.clone());
                found.push(breach);
            }
        }
        found
    }

    /// A thing is once on each side and in one link; one that was deleted is gone where it was deleted.
    fn presence(&mut self, sides: &Sides, thing: &Thing, story: &Story, sight: &Sight) -> Vec<Breach> {
        let mut found = Vec::new();
        let mut kinds = vec![thing.kind];
        if story.confirmed {
            kinds.push(Kind::Order);
        }
        for kind in kinds {
            let records = System::BOTH.map(|system| sides.marked(system, kind, &thing.mark));
            for (system, records) in System::BOTH.into_iter().zip(&records) {
                let is_fit = match story.deleted {
                    Some(deleted) if deleted == system => records.len() <= usize::from(story.may_be_back),
                    _ => records.len() == 1,
                };
                if !is_fit {
                    found.push(Breach::of(format!("is {} times in {}", records.len(), system.name())));
                }
            }
            let [crm, exact] = &records;
            if let (None, Some((crm, _)), Some((exact, _))) =
                (story.deleted, crm.first_key_value(), exact.first_key_value())
            {
                let pair = self.pair(kind).name.clone();
                let records = SystemPair { customcrm: crm.clone(), exactonline: exact.clone() };
                found.extend(sight.unlinked(&pair, &records));
            }
        }
        if let Some(deleted) = story.deleted.filter(|_| !story.may_be_back && found.is_empty()) {
            found.extend(self.not_archived(sides, thing, deleted.other()));
        }
        found
    }

    /// The partner of what was deleted is marked as no longer in use, where the pair says so.
    fn not_archived(&mut self, sides: &Sides, thing: &Thing, system: System) -> Option<Breach> {
        let OnDelete::Archive(archive) = self.pair(thing.kind).deletes[system].clone() else { return None };
        let seen = self.hand.sees(sides, thing, system)?;
        let held = seen.view.get(&archive.property).cloned().unwrap_or(Value::Empty);
        let is_marked = match (&archive.mark, &held) {
            (mapping::Mark::Value(mark), held) => mark == held,
            (mapping::Mark::Yesterday, Value::Date(day)) => *day < ambient::today(),
            (mapping::Mark::Yesterday, _) => false,
        };
        (!is_marked).then(|| {
            Breach::of(format!(
                "its partner was deleted, and {} holds \"{held}\" in {}",
                archive.property,
                system.name()
            ))
        })
    }

    /// What people said last is on both sides.
    fn lost_words(&mut self, sides: &Sides, thing: &Thing, story: &Story) -> Vec<Breach> {
        let mut found = Vec::new();
        let seen = System::BOTH.map(|system| self.hand.sees(sides, thing, system).map(|seen| seen.view));
        let [Some(crm), Some(exact)] = seen else { return found };
        for (mark, line) in &story.lines {
            let counts = [&crm, &exact].map(|view| lines_marked(view, mark).len());
            let is_fit = match (line.removed, line.may_be_back) {
                (false, _) if story.may_be_taken_for_another(line) => {
                    counts[0] == counts[1] && counts[0] <= 1
                }
                (false, _) => counts == [1, 1],
                (true, false) => counts == [0, 0],
                (true, true) => counts[0] == counts[1] && counts[0] <= 1,
            };
            if !is_fit {
                let was = if line.removed { "was removed" } else { "was entered" };
                found.push(Breach::of(format!(
                    "line \"{mark}\" {was}, and is {} times in customcrm and {} times in exactonline",
                    counts[0], counts[1]
                )));
            }
        }
        for (cell, words) in self.ledger.words.iter().filter(|(cell, _)| cell.thing == *thing) {
            if cell
                .line
                .as_ref()
                .is_some_and(|line| story.lines[line].removed || lines_marked(&crm, line).is_empty())
            {
                continue;
            }
            if let Err(why) = is_kept(words, shows(&crm, cell).as_ref(), shows(&exact, cell).as_ref()) {
                found.push(Breach::of(format!("{cell}: {why}")));
            }
        }
        found
    }
}

/// Records that bear one mark twice, whoever made them.
pub fn doubled(sides: &Sides) -> Vec<Breach> {
    let mut found = Vec::new();
    for system in System::BOTH {
        let mut places: Vec<Place> = Kind::ALL.map(|kind| kind.place(system)).into();
        places.dedup_by_key(|place| place.path);
        for place in places {
            let mut marks: BTreeMap<(String, Option<String>), Vec<RecordId>> = BTreeMap::new();
            for (record, properties) in sides.all(system, place) {
                let mark = properties
                    .get(place.mark)
                    .and_then(Content::as_text)
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                // The versions of a quotation bear one mark.
                let version =
                    (place.path == QUOTATIONS.path).then(|| format!("{:?}", properties.get("VersionNumber")));
                marks.entry((mark, version)).or_default().push(record);
            }
            for ((mark, _), records) in marks.into_iter().filter(|(_, records)| records.len() > 1) {
                let mut breach = Breach::of(format!(
                    "{} has \"{mark}\" {} times in {}",
                    system.name(),
                    records.len(),
                    place.path
                ));
                breach.about = records.iter().map(ToString::to_string).collect();
                found.push(breach);
            }
        }
    }
    found
}
