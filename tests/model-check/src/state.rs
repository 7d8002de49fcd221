//! The whole world at one moment, as data that can be compared and hashed.

use std::collections::BTreeMap;
use std::sync::Arc;

use link::{Link, Write};
use model::{ConnectionName, PairName, RecordId, System, SystemPair};

use crate::account::Account;
use crate::bounds::{Bounds, Start};
use crate::remote::{Record, Sighting};
use crate::words::{Given, Property, Word, Words, given};

/// Messages without an order, and how often each is there.
pub type Bag<T> = BTreeMap<T, u8>;

/// All that there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The records of either system.
    pub records: SystemPair<Vec<Record>>,
    /// The link, as the store holds it.
    pub link: Arc<Link>,
    /// What collectors have published. The outbox and the queue of a message are one bag: what is published late is
    /// delivered late, and what is published twice is delivered twice.
    pub sightings: Bag<Sighting>,
    /// What writers have published.
    pub outcomes: Bag<Outcome>,
    /// The messages to the writers of either system that a write is queued.
    pub writes: SystemPair<u8>,
    /// Who has read the link and has not committed yet.
    pub readers: Vec<Reader>,
    /// Who has claimed a write and has not reported yet.
    pub sending: Vec<Sending>,
    /// What may still happen.
    pub left: Left,
    /// What people entered and what was written, to hold the promises against.
    pub account: Account,
}

/// What may still happen, of what is bounded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Left {
    /// Edits of people.
    pub edits: SystemPair<u8>,
    /// Deletions by people.
    pub deletes: SystemPair<u8>,
    /// Crashes.
    pub crashes: u8,
    /// Repeated deliveries.
    pub repeats: u8,
    /// Answers that do not arrive.
    pub lost_answers: u8,
    /// Reads after a write that fail.
    pub unread: u8,
}

/// A message to the mappers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// A collector has seen a record.
    Seen(Sighting),
    /// A writer tells what became of a write.
    Outcome(Outcome),
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// In which system.
    pub system: System,
    /// Under which claim.
    pub claim: u64,
    /// And what.
    pub result: Answer,
}

/// What a system made of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It has carried it out on this record; after which it looked like this, where that is told.
    Applied(u8, Option<Sighting>),
    /// A search has found this one.
    Adopted(Sighting),
    /// A search has found so many records.
    FoundSeveral(u8),
    /// The record is another than was seen: it looks like this.
    Stale(Sighting),
    /// The record is gone.
    Gone,
}

/// Who has read the link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    /// What for.
    pub task: Task,
    /// What was read; nothing once somebody was faster, for then it is read again.
    pub read: Option<Arc<Link>>,
}

/// What a link is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A mapper takes a message in.
    TakeIn(Message),
    /// A writer of this system claims.
    Claim(System),
}

/// A write in a writer's hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sending {
    /// Whose writer.
    pub system: System,
    /// Under which claim.
    pub claim: u64,
    /// What it says.
    pub order: Order,
    /// How far it is.
    pub stage: Stage,
}

/// What a write says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// A record is to be made.
    Create(Given),
    /// This record, seen at this version, is to be changed.
    Update(u8, Option<u8>, Given),
}

/// How far a writer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The claim is stored.
    Claimed,
    /// A search has found none.
    Searched,
    /// The feed has shown the record at this version, which nobody has to be asked about.
    Vouched(u8),
    /// It was sent and answered.
    Answered(Answer),
    /// It was carried out, and the feed is to tell how the record looks.
    CarriedOut(u8),
}

impl Order {
    /// What a link's write says.
    pub fn of(write: &Write) -> Self {
        match write {
            Write::Create { values } => Self::Create(given(values)),
            Write::Update { record, version, values } => {
                let version = version.map(|version| u8::try_from(version.0).expect("there are few changes"));
                Self::Update(place(record), version, given(values))
            }
            Write::Delete { .. } => unreachable!("the modelled pair deletes nothing"),
        }
    }

    /// What it gives.
    pub const fn given(self) -> Given {
        match self {
            Self::Create(given) | Self::Update(_, _, given) => given,
        }
    }

    /// Whether it sets this property.
    pub const fn sets(self, property: Property) -> bool {
        self.given()[property as usize].is_some()
    }
}

impl Sending {
    /// Whether it may still make a record.
    pub const fn may_create(&self) -> bool {
        matches!((self.order, self.stage), (Order::Create(_), Stage::Claimed | Stage::Searched))
    }
}

/// The place of a record among its system's.
fn place(record: &RecordId) -> u8 {
    record.as_str()[1..].parse().expect("ids of this world end in their place")
}

/// Puts a message into a bag.
pub fn put<T: Ord>(bag: &mut Bag<T>, message: T) {
    *bag.entry(message).or_insert(0) += 1;
}

/// Takes a message out of a bag.
pub fn take<T: Ord>(bag: &mut Bag<T>, message: &T) {
    if let Some(times) = bag.get_mut(message) {
        *times -= 1;
        if *times == 0 {
            bag.remove(message);
        }
    }
}

impl State {
    /// How the world begins: the link knows CustomCRM's record.
    pub fn begin(bounds: &Bounds) -> Self {
        let words: Words = [bounds.name, Word::Nothing];
        let crm = Record::entered(words);
        let seen = crm.seen(System::CustomCrm, 0);
        let connection = ConnectionName::parse("acme").expect("it is a name");
        let pair = PairName::parse("customer-account").expect("it is a name");
        let link = Link::begin(connection, pair, System::CustomCrm, seen.side());
        Self {
            records: SystemPair { customcrm: vec![crm], exactonline: Vec::new() },
            link: Arc::new(link),
            sightings: Bag::new(),
            outcomes: Bag::new(),
            writes: SystemPair::default(),
            readers: Vec::new(),
            sending: Vec::new(),
            left: Left {
                edits: bounds.edits,
                deletes: bounds.deletes,
                crashes: bounds.crashes,
                repeats: bounds.repeats,
                lost_answers: bounds.lost_answers,
                unread: bounds.unread,
            },
            account: Account::begin(words, bounds.start == Start::Alone),
        }
    }

    /// The record of a side.
    pub fn record(&self, system: System) -> Option<&Record> {
        self.records[system].first()
    }

    /// How many of its mappers are at work.
    pub fn mappers_at_work(&self) -> usize {
        self.readers.iter().filter(|reader| matches!(reader.task, Task::TakeIn(_))).count()
    }

    /// How many writes are in hand.
    pub fn writers_at_work(&self) -> usize {
        self.readers.len() - self.mappers_at_work() + self.sending.len()
    }

    /// Whether nothing is under way: no message, nobody at work, nothing that a collector has not told.
    pub fn is_at_rest(&self) -> bool {
        let told = |system: System| self.records[system].iter().all(|record| !record.is_untold);
        self.sightings.is_empty()
            && self.outcomes.is_empty()
            && self.writes == SystemPair::default()
            && self.readers.is_empty()
            && self.sending.is_empty()
            && System::BOTH.into_iter().all(told)
    }
}
