//! Every transition that the page of the crate lists is taken by some history, and no other is: random events, in and
//! out of season, on links that came about by such events. All promises hold on the way.

use std::collections::{BTreeMap, BTreeSet};

use model::{System, SystemPair, Version};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use super::{
    convergence::systems,
    fixture::{
        BOTH_WAYS, CRM, EXACT, alone, at, gone, kept, ours, policy, property, record, seen, side, value,
    },
};
use crate::{
    Choice, ConflictPolicy, DeleteConflict, DeletePolicy, Event, Failure, Link, Observation, Pending, Policy,
    Rule, Side, Status, Write, promises,
};

/// Steps of this test, unless the environment names another number.
const STEPS: usize = 50_000;
/// Steps of one history.
const HISTORY: usize = 50;
/// Histories with a transition that only one in many takes, by their seeds: they are played whatever the number of steps.
const RARE: [u32; 16] = [
    1_131, 1_188, 1_602, 1_685, 2_399, 3_278, 3_835, 3_838, 4_169, 4_491, 4_693, 12_058, 22_674, 30_511,
    55_081, 322_267,
];

/// What happens next; whether its claim is the one in flight is drawn too.
#[derive(Debug, Clone)]
enum Happening {
    Seen { system: System, values: Values, by_us: bool, newer: u64 },
    Gone { system: System, newer: u64 },
    Joined { system: System, values: Values },
    FoundSeveral,
    Released,
    Claimed(System),
    Applied { system: System, late: bool, shows: Option<Values> },
    Adopted { system: System, late: bool, values: Values },
    Failed { system: System, late: bool, failure: Failing },
    Superseded { system: System, values: Values },
    ReferenceLinked(System),
    Resolved(Choice),
}

type Values = (&'static str, &'static str, &'static str);

#[derive(Debug, Clone)]
enum Failing {
    Rejected,
    Stale(Option<Values>),
    Gone,
    FoundSeveral,
}

fn values() -> impl Strategy<Value = Values> {
    (select(vec!["", "x", "y"]), select(vec!["x", "z"]), select(vec!["active", "inactive", "@r"]))
}

fn choices() -> impl Strategy<Value = Choice> {
    let names = || select(vec!["a", "b", "c"]).prop_map(property);
    prop_oneof![
        3 => (names(), systems()).prop_map(|(property, from)| Choice::Take { property, from }),
        1 => names().prop_map(|property| Choice::Accept { property }),
        2 => Just(Choice::Delete),
        2 => Just(Choice::Recreate),
        1 => Just(Choice::Unlink),
        3 => Just(Choice::Relink),
    ]
}

fn happenings() -> impl Strategy<Value = Happening> {
    let failures = prop_oneof![
        Just(Failing::Rejected),
        option::of(values()).prop_map(Failing::Stale),
        Just(Failing::Gone),
        Just(Failing::FoundSeveral),
    ];
    let late = || prop::bool::weighted(0.2);
    prop_oneof![
        8 => (systems(), values(), prop::bool::weighted(0.2), 0..3_u64)
            .prop_map(|(system, values, by_us, newer)| Happening::Seen { system, values, by_us, newer }),
        2 => (systems(), 0..3_u64).prop_map(|(system, newer)| Happening::Gone { system, newer }),
        2 => (systems(), values()).prop_map(|(system, values)| Happening::Joined { system, values }),
        1 => Just(Happening::FoundSeveral),
        2 => Just(Happening::Released),
        6 => systems().prop_map(Happening::Claimed),
        4 => (systems(), late(), option::of(values()))
            .prop_map(|(system, late, shows)| Happening::Applied { system, late, shows }),
        1 => (systems(), late(), values())
            .prop_map(|(system, late, values)| Happening::Adopted { system, late, values }),
        3 => (systems(), late(), failures)
            .prop_map(|(system, late, failure)| Happening::Failed { system, late, failure }),
        1 => (systems(), values()).prop_map(|(system, values)| Happening::Superseded { system, values }),
        1 => systems().prop_map(Happening::ReferenceLinked),
        2 => choices().prop_map(Happening::Resolved),
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    let archive = DeletePolicy::Archive(property("c"), value("inactive"));
    let deletes =
        || select(vec![archive.clone(), DeletePolicy::Propagate, DeletePolicy::Unlink, DeletePolicy::Ignore]);
    let conflicts = select(vec![DeleteConflict::Ask, DeleteConflict::Delete, DeleteConflict::Recreate]);
    let rule = |conflict| Rule { conflict, ..BOTH_WAYS };
    let rules = policy(&[
        ("a", rule(ConflictPolicy::Ask)),
        ("b", rule(ConflictPolicy::Newest)),
        ("c", rule(ConflictPolicy::Wins(EXACT))),
    ]);
    (deletes(), deletes(), conflicts, prop::bool::weighted(0.8)).prop_map(
        move |(customcrm, exactonline, delete_conflict, creates)| Policy {
            deletes: SystemPair { customcrm, exactonline },
            delete_conflict,
            creates: SystemPair { customcrm: creates, exactonline: creates },
            ..rules.clone()
        },
    )
}

/// A link on its way through such a history.
struct Walk {
    link: Link,
    policy: Policy,
    /// How many records each side has had.
    records: SystemPair<u64>,
    now: i64,
    taken: BTreeSet<(String, String, String)>,
}

impl Walk {
    fn of(policy: Policy) -> Self {
        let records = SystemPair { customcrm: 1, exactonline: 1 };
        Self { link: alone(&[("a", "x"), ("b", "z")]), policy, records, now: 0, taken: BTreeSet::new() }
    }

    fn happens(&mut self, happening: &Happening) {
        let Some(event) = self.event(happening) else { return };
        self.now += 40;
        let next = kept(&self.link, &event, &self.policy, true, self.now).link;
        let (from, to) = (status(&self.link), status(&next));
        if from != to {
            self.taken.insert((from.to_owned(), word(&event).to_owned(), to.to_owned()));
        }
        for system in System::BOTH {
            let (from, to) = (pending(&self.link, system), pending(&next, system));
            let word = of_side(&self.link, &event, system);
            if from != to {
                self.taken.insert((from.to_owned(), word, to.to_owned()));
            }
        }
        self.link = next;
    }

    /// The event that a mapper or a writer would make of it here; `None` where they make none.
    fn event(&mut self, happening: &Happening) -> Option<Event> {
        let link = &self.link;
        Some(match happening.clone() {
            Happening::Seen { system, values, by_us, newer } => {
                let observation = self.observation(system, values, by_us, newer)?;
                Event::Observed { system, observation }
            }
            Happening::Gone { system, newer } => {
                let known = link.sides[system].as_ref()?;
                let version = known.version.map_or(1, |version| version.0) + newer;
                let observation = Observation { record: known.record.clone(), ..gone(system, version) };
                Event::Observed { system, observation }
            }
            Happening::Joined { system, values } => {
                let is = |of: System, presence| {
                    link.sides[of].as_ref().is_some_and(|side| side.presence == presence)
                };
                let has_place = link.sides[system].is_none()
                    || link.status == Status::Ended && is(system, model::Presence::Deleted);
                let is_free = has_place && is(system.other(), model::Presence::Present);
                is_free.then(|| Event::Joined { system, side: self.new_side(system, values) })?
            }
            Happening::FoundSeveral if link.has_both() || link.status != Status::Unmatched => return None,
            Happening::FoundSeveral => Event::FoundSeveral { candidates: vec![record("r1"), record("r2")] },
            Happening::Released => Event::Released,
            Happening::Claimed(system) => Event::Claimed { system },
            Happening::Applied { system, late, shows } => {
                let claim = self.claim(system, late)?;
                let made = link.sides[system].is_none();
                let record = if made { self.new_record(system) } else { self.link.record(system)?.clone() };
                let shows = shows.map(|values| self.observation_of(system, values, &record));
                Event::Applied { system, claim, record, after: shows }
            }
            Happening::Adopted { system, late, values } => {
                let is_create =
                    matches!(&link.pending[system], Pending::InFlight { write: Write::Create { .. }, .. });
                let claim = self.claim(system, late).filter(|_| late || is_create)?;
                Event::Adopted { system, claim, side: self.new_side(system, values) }
            }
            Happening::Failed { system, late, failure } => {
                let claim = self.claim(system, late)?;
                let failure = match failure {
                    Failing::Rejected => Failure::Rejected { words: "no".to_owned() },
                    Failing::Stale(values) => Failure::Stale {
                        now: values.and_then(|values| self.observation(system, values, false, 1)),
                    },
                    Failing::Gone if link.sides[system].is_none() => return None,
                    Failing::Gone => Failure::Gone,
                    Failing::FoundSeveral if link.sides[system].is_some() => return None,
                    Failing::FoundSeveral => Failure::FoundSeveral { candidates: vec![record("r1")] },
                };
                Event::Failed { system, claim, failure }
            }
            Happening::Superseded { system, values } => {
                link.sides[system].as_ref()?;
                Event::Superseded { system, side: self.new_side(system, values) }
            }
            Happening::ReferenceLinked(system) => {
                Event::ReferenceLinked { system, property: property("c"), value: value("active") }
            }
            Happening::Resolved(choice) => Event::Resolved(choice),
        })
    }

    fn observation(&self, system: System, values: Values, by_us: bool, newer: u64) -> Option<Observation> {
        let known = self.link.sides[system].as_ref()?;
        let version = known.version.map_or(1, |version| version.0) + newer;
        let (a, b, c) = values;
        let looks = [("a", a), ("b", b), ("c", c)];
        let observation = if by_us { ours(system, version, &looks) } else { seen(system, version, &looks) };
        Some(Observation { record: known.record.clone(), modified_at: Some(at(self.now)), ..observation })
    }

    fn observation_of(&self, system: System, (a, b, c): Values, id: &model::RecordId) -> Observation {
        let known = self.link.sides[system].as_ref().and_then(|side| side.version);
        let version = known.map_or(1, |version| version.0 + 1);
        let observation = ours(system, version, &[("a", a), ("b", b), ("c", c)]);
        Observation { record: id.clone(), modified_at: Some(at(self.now)), ..observation }
    }

    fn new_record(&mut self, system: System) -> model::RecordId {
        self.records[system] += 1;
        record(&format!("{}{}", if system == CRM { 'c' } else { 'e' }, self.records[system]))
    }

    fn new_side(&mut self, system: System, (a, b, c): Values) -> Side {
        let id = self.new_record(system);
        let modified_at = Some(at(self.now));
        Side {
            modified_at,
            version: Some(Version(1)),
            ..side(id.as_str(), 1, &[("a", a), ("b", b), ("c", c)])
        }
    }

    fn claim(&self, system: System, late: bool) -> Option<u64> {
        match &self.link.pending[system] {
            Pending::InFlight { claim, .. } if !late => Some(*claim),
            _ => late.then_some(0),
        }
    }
}

const fn status(link: &Link) -> &'static str {
    match link.status {
        Status::Unmatched => "Unmatched",
        Status::Ambiguous(_) => "Ambiguous",
        Status::Linked => "Linked",
        Status::Missing => "Missing",
        Status::DeletedAgainstEdit => "DeletedAgainstEdit",
        Status::Ended => "Ended",
        Status::Unlinked => "Unlinked",
    }
}

fn pending(link: &Link, system: System) -> &'static str {
    match link.pending[system] {
        Pending::None => "none",
        Pending::Queued { .. } => "queued",
        Pending::InFlight { .. } => "in flight",
    }
}

fn word(event: &Event) -> &'static str {
    match event {
        Event::Observed { observation, .. } if observation.presence == model::Presence::Deleted => {
            "seen gone"
        }
        Event::Observed { .. } => "seen",
        Event::Joined { .. } => "partner found",
        Event::Released => "released",
        Event::Claimed { .. } => "claimed",
        Event::Applied { .. } => "applied",
        Event::Adopted { .. } => "adopted",
        Event::Failed { failure: Failure::Rejected { .. }, .. } => "refused",
        Event::Failed { failure: Failure::Stale { .. }, .. } => "stale",
        Event::Failed { failure: Failure::Gone, .. } => "not there",
        Event::FoundSeveral { .. } | Event::Failed { failure: Failure::FoundSeveral { .. }, .. } => {
            "several found"
        }
        Event::Superseded { .. } => "newer version",
        Event::ReferenceLinked { .. } => "reference linked",
        Event::Resolved(Choice::Take { .. }) => "taken from a side",
        Event::Resolved(Choice::Accept { .. }) => "accepted",
        Event::Resolved(Choice::Delete) => "deletion stands",
        Event::Resolved(Choice::Recreate) => "to be made anew",
        Event::Resolved(Choice::Unlink) => "taken apart",
        Event::Resolved(Choice::Relink) => "put together",
    }
}

/// The event as the write of a side sees it.
fn of_side(link: &Link, event: &Event, system: System) -> String {
    let is_own =
        |claim: u64| matches!(&link.pending[system], Pending::InFlight { claim: own, .. } if *own == claim);
    let (Event::Applied { system: of, claim, .. }
    | Event::Adopted { system: of, claim, .. }
    | Event::Failed { system: of, claim, .. }) = event
    else {
        let Event::Claimed { system: of } = event else { return word(event).to_owned() };
        return if *of == system { "claimed".to_owned() } else { "claimed there".to_owned() };
    };
    match (*of == system, is_own(*claim)) {
        (true, true) => word(event).to_owned(),
        (true, false) => format!("{}, late", word(event)),
        (false, _) => format!("{} there", word(event)),
    }
}

fn steps() -> usize {
    std::env::var("TANDEM_STEPS").map_or(STEPS, |steps| steps.parse().unwrap())
}

#[test]
fn every_listed_transition_is_taken_and_no_other() {
    let histories = (policies(), vec(happenings(), HISTORY));
    // Which history was the first to take it.
    let mut taken = BTreeMap::new();
    let seeds = 0..u32::try_from(steps().div_ceil(HISTORY)).unwrap();
    for seed in seeds.chain(RARE) {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
        let (policy, history) = histories.new_tree(&mut runner).unwrap().current();
        let mut walk = Walk::of(policy);
        for happening in &history {
            walk.happens(happening);
        }
        for transition in walk.taken {
            taken.entry(transition).or_insert(seed);
        }
    }
    let page = include_str!("../../README.md");
    let cell = |line: &str, place: usize| line.split('|').nth(place).map(|cell| cell.trim().to_owned());
    let words = [
        "Unmatched",
        "Ambiguous",
        "Linked",
        "Missing",
        "DeletedAgainstEdit",
        "Ended",
        "Unlinked",
        "none",
        "queued",
        "in flight",
    ];
    let rows = page.lines().filter(|line| line.matches('|').count() == 4);
    let listed: BTreeSet<(String, String, String)> = rows
        .filter_map(|line| Some((cell(line, 1)?, cell(line, 2)?, cell(line, 3)?)))
        .filter(|(from, ..)| words.contains(&from.as_str()))
        .flat_map(|(from, events, to)| {
            let events: Vec<String> = events.split("; ").map(str::to_owned).collect();
            events.into_iter().map(move |event| (from.clone(), event, to.clone()))
        })
        .collect();
    let never: Vec<_> = listed.iter().filter(|transition| !taken.contains_key(*transition)).collect();
    let unlisted: Vec<_> = taken.iter().filter(|(transition, _)| !listed.contains(*transition)).collect();
    assert!(
        never.is_empty() && unlisted.is_empty(),
        "never taken: {never:?}\nnot listed, with the seed of a history: {unlisted:?}"
    );
    assert_eq!(promises::PROMISES.len(), 11, "all of which were asked at each step");
}
