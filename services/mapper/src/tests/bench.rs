//! The handlers of some pairs at a bench: what they want published is delivered at once, and writes are laid aside for
//! the test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use contract::{Message, Names, Sighting, Woken};
use jiff::{SignedDuration, Timestamp, Zoned};
use link::{Event, Link, Pending, Status, Write, step};
use mapping::{Lookups, Onto, Pair, Put, Reading};
use model::{Content, LinkId, PairName, PropertyName, System, Value};
use store::{Commit, LinkChange, Links, OutboxMessage, Stored};
use telemetry::Metrics;
use uuid::Uuid;

use super::fakes::Pausing;
use super::said::{applied, full_read};
use super::{CRM, EXACT, connection, ours, record, sighting};
use crate::error::MapperError;
use crate::handler::{Handled, Handler};
use crate::keeper::Keeper;

const PAIR_FILE: &str = include_str!("../../../../deploy/pairs/customer-account.toml");

pub(super) fn pair() -> Pair {
    let kept = BTreeSet::from([PairName::parse("customer-account").unwrap()]);
    Pair::parse("customer-account.toml", PAIR_FILE, Reading::Practical, &kept).unwrap()
}

pub(super) struct Bench {
    /// The first is the pair of all that is asked without naming one.
    handlers: Vec<Handler<Pausing>>,
    /// The writes that were queued, in the order in which they were.
    writes: Mutex<Vec<(PairName, LinkId, System)>>,
    /// The pair that handles its messages only when the others have none.
    pub(super) slow: Option<PairName>,
}

impl Bench {
    /// An empty store that knows the users of both systems.
    pub(super) async fn new() -> Self {
        Self::with_store(Pausing::new(None)).await
    }

    /// A bench whose pair may create.
    pub(super) async fn released() -> Self {
        let bench = Self::new().await;
        bench.read_both(&[], &[]).await;
        bench
    }

    /// A released bench where handlers that run at once meet as the seed says.
    pub(super) async fn racing(seed: u64) -> Self {
        let bench = Self::with_store(Pausing::new(Some(seed))).await;
        bench.read_both(&[], &[]).await;
        bench
    }

    /// A bench on this store, which learns the users of both systems.
    pub(super) async fn with_store(store: Pausing) -> Self {
        Self::keeping(store, vec![pair()]).await
    }

    /// A bench that keeps these pairs.
    pub(super) async fn keeping(store: Pausing, pairs: Vec<Pair>) -> Self {
        let bench = Self::on(store, &pairs);
        for system in System::BOTH {
            bench.links().set_people(&connection(), system, &BTreeMap::new()).await.unwrap();
        }
        bench
    }

    /// A bench whose collectors have not read the users yet.
    pub(super) fn without_users() -> Self {
        Self::on(Pausing::new(None), &[pair()])
    }

    fn on(store: Pausing, pairs: &[Pair]) -> Self {
        let (links, names) = (Links::new(store, "test"), Names::new("test"));
        let handler = |pair: &Pair| {
            let metrics = Arc::new(Metrics::new("mapper"));
            let (own, name) = (Arc::clone(&metrics), &pair.name);
            let keeper = Keeper::new(&links, &names, own, &connection(), name, pairs, given()).unwrap();
            let keepers = BTreeMap::from([(connection(), Arc::new(keeper))]);
            Handler::of(name, &links, &names, metrics, keepers)
        };
        Self { handlers: pairs.iter().map(handler).collect(), writes: Mutex::default(), slow: None }
    }

    /// What handles the messages of the first pair.
    pub(super) fn handler(&self) -> &Handler<Pausing> {
        &self.handlers[0]
    }

    /// What keeps a pair.
    pub(super) fn keeper(&self, pair: &PairName) -> Arc<Keeper<Pausing>> {
        let handler = self.handlers.iter().find(|handler| handler.pair == *pair);
        Arc::clone(&handler.expect("the pair is kept").keepers()[&connection()])
    }

    pub(super) fn links(&self) -> &Links<Pausing> {
        &self.handler().links
    }

    /// What the pair's mapper shows to Prometheus.
    pub(super) fn metrics(&self) -> String {
        self.handler().keepers()[&connection()].metrics.render()
    }

    /// The pair of all that is asked without naming one.
    pub(super) fn pair(&self) -> &PairName {
        &self.handler().pair
    }

    pub(super) async fn handle(&self, message: &Message, attempt: u32) -> Handled {
        self.handle_as(self.handler(), message, attempt).await
    }

    async fn handle_as(&self, handler: &Handler<Pausing>, message: &Message, attempt: u32) -> Handled {
        let body = message.write(Uuid::now_v7(), "test", Timestamp::now());
        handler.handle(&Message::read(&body).unwrap(), attempt).await.unwrap()
    }

    /// Has the message handled as this pair's, while the store may fail.
    pub(super) async fn tries(&self, pair: &PairName, message: &Message) -> Result<Handled, MapperError> {
        let handler = self.handlers.iter().find(|handler| handler.pair == *pair);
        handler.expect("the pair is kept").handle(message, 1).await
    }

    /// The pairs to which a message goes.
    pub(super) fn pairs_of(&self, message: &Message) -> Vec<PairName> {
        let handlers = self.handlers.iter().filter(|handler| is_for(handler, message));
        handlers.map(|handler| handler.pair.clone()).collect()
    }

    /// Has the message handled, and all that follows from it.
    pub(super) async fn tell(&self, message: Message) {
        self.deliver(&message, 1).await;
    }

    /// The same for a message that has been tried before.
    pub(super) async fn tell_again(&self, message: Message, attempt: u32) {
        self.deliver(&message, attempt).await;
    }

    async fn deliver(&self, message: &Message, attempt: u32) {
        for handler in self.handlers.iter().filter(|handler| is_for(handler, message)) {
            let waiting = self.offer_to(&handler.pair, message, attempt).await;
            assert!(waiting.is_empty(), "{waiting:?} has to wait");
        }
    }

    /// Has all pairs that it is for handle a message, and all that follows from it; what has to wait, and in which pair.
    pub(super) async fn offer(&self, message: &Message) -> Vec<(PairName, Message)> {
        let mut waiting = Vec::new();
        for handler in self.handlers.iter().filter(|handler| is_for(handler, message)) {
            waiting.extend(self.offer_to(&handler.pair, message, 1).await);
        }
        waiting
    }

    /// Has one pair alone handle a message, and each pair what follows from it; what has to wait.
    pub(super) async fn offer_to(
        &self,
        pair: &PairName,
        message: &Message,
        attempt: u32,
    ) -> Vec<(PairName, Message)> {
        let mut queue = VecDeque::from([(pair.clone(), message.clone(), attempt)]);
        let mut waiting = Vec::new();
        let next = |queue: &mut VecDeque<(PairName, Message, u32)>| {
            let quick = queue.iter().position(|(pair, ..)| Some(pair) != self.slow.as_ref());
            queue.remove(quick.unwrap_or(0))
        };
        while let Some((pair, message, attempt)) = next(&mut queue) {
            let handler = self.handlers.iter().find(|handler| handler.pair == pair);
            let follows = match self.handle_as(handler.expect("the pair is kept"), &message, attempt).await {
                Handled::Done(outbox) => self.publish(&outbox).await,
                Handled::Released(outbox) => {
                    let mut follows = self.publish(&outbox).await;
                    follows.extend(self.wake_released().await);
                    follows
                }
                Handled::Later(..) => {
                    waiting.push((pair, message));
                    Vec::new()
                }
                Handled::Bad(bad) => panic!("{message:?} is bad for {pair}: {bad}"),
            };
            for message in follows {
                let of = self.handlers.iter().filter(|handler| is_for(handler, &message));
                queue.extend(of.map(|handler| (handler.pair.clone(), message.clone(), 1)));
            }
        }
        waiting
    }

    async fn wake_released(&self) -> Vec<Message> {
        let (links, connection, mut wakes) = (self.links(), connection(), Vec::new());
        for pair in links.waking(&connection).await.unwrap() {
            for link in links.unmatched(&connection, &pair).await.unwrap() {
                wakes.push(Message::Woken(Woken {
                    connection: connection.clone(),
                    pair: pair.clone(),
                    link,
                    lane: contract::Lane::Backfill,
                }));
            }
            links.all_woken(&connection, &pair).await.unwrap();
        }
        wakes
    }

    /// Lays writes aside, and gives back what comes to the mapper itself.
    pub(super) async fn publish(&self, outbox: &[OutboxMessage]) -> Vec<Message> {
        let ids: Vec<Uuid> = outbox.iter().map(|message| message.id).collect();
        self.links().published(&connection(), &ids).await.unwrap();
        let mut own = Vec::new();
        for message in outbox {
            match Message::read(message.body.as_bytes()).unwrap() {
                Message::WriteQueued(queued) => {
                    self.writes.lock().unwrap().push((queued.pair, queued.link, queued.system));
                }
                message => own.push(message),
            }
        }
        own
    }

    /// The writes that were queued since this was asked last.
    pub(super) fn writes(&self) -> Vec<(LinkId, System)> {
        self.writes_of_all().into_iter().map(|(_, link, system)| (link, system)).collect()
    }

    /// The same, with their pairs.
    pub(super) fn writes_of_all(&self) -> Vec<(PairName, LinkId, System)> {
        std::mem::take(&mut *self.writes.lock().unwrap())
    }

    /// A collector reads a system in full.
    pub(super) async fn read(&self, system: System, sightings: &[Sighting]) {
        for message in full_read(system, sightings) {
            self.tell(message).await;
        }
    }

    pub(super) async fn read_both(&self, customers: &[Sighting], accounts: &[Sighting]) {
        self.read(CRM, customers).await;
        self.read(EXACT, accounts).await;
    }

    pub(super) async fn stored(&self, id: &LinkId) -> Option<Stored> {
        self.stored_in(self.pair(), id).await
    }

    pub(super) async fn stored_in(&self, pair: &PairName, id: &LinkId) -> Option<Stored> {
        self.links().find(&connection(), pair, id).await.unwrap()
    }

    pub(super) async fn link(&self, id: &LinkId) -> Link {
        Arc::unwrap_or_clone(self.stored(id).await.expect("the link is there").link)
    }

    /// The link of a record.
    pub(super) async fn link_of(&self, system: System, id: &str) -> Option<Link> {
        self.link_in(self.pair(), system, id).await
    }

    /// The link of a record in this pair.
    pub(super) async fn link_in(&self, pair: &PairName, system: System, id: &str) -> Option<Link> {
        let id = self.links().link_of(&connection(), pair, system, &record(id)).await.unwrap()?;
        Some(Arc::unwrap_or_clone(self.stored_in(pair, &id).await.expect("the link is there").link))
    }

    pub(super) async fn all(&self) -> Vec<Link> {
        self.all_in(self.pair()).await
    }

    pub(super) async fn all_in(&self, pair: &PairName) -> Vec<Link> {
        let mut links = Vec::new();
        for id in self.links().all(&connection(), pair).await.unwrap() {
            links
                .push(Arc::unwrap_or_clone(self.stored_in(pair, &id).await.expect("the link is there").link));
        }
        links
    }

    pub(super) async fn history(&self, id: &LinkId) -> Vec<String> {
        self.links().history(&connection(), self.pair(), id, 100).await.unwrap()
    }

    /// A writer claims the pending write.
    pub(super) async fn claim(&self, id: &LinkId, system: System) -> (u64, Write) {
        self.claim_in(self.pair(), id, system).await
    }

    /// A writer claims the pending write of a link of this pair.
    pub(super) async fn claim_in(&self, pair: &PairName, id: &LinkId, system: System) -> (u64, Write) {
        self.try_claim(pair, id, system).await.expect("there is something to write")
    }

    /// The same; `None` where there is nothing to write any more.
    pub(super) async fn try_claim(
        &self,
        pair: &PairName,
        id: &LinkId,
        system: System,
    ) -> Option<(u64, Write)> {
        let (now, keeper) = (Timestamp::now(), self.keeper(pair));
        let stored = self.stored_in(pair, id).await?;
        let next = step(
            Link::clone(&stored.link),
            Event::Claimed { system },
            &keeper.pair.policy(Zoned::now().date()),
            true,
            now,
        )
        .link;
        let claimed = match next.pending[system].clone() {
            Pending::InFlight { claim, write, .. } => Some((claim, write)),
            Pending::Queued { .. } | Pending::None => None,
        };
        let commit = Commit {
            pair: &keeper.pair,
            connection: &connection(),
            links: vec![LinkChange { before: Some(stored), after: Some(Arc::new(next)) }],
            checks: Vec::new(),
            outbox: Vec::new(),
            notes: Vec::new(),
            part: None,
            now,
        };
        assert!(keeper.links.commit(commit).await.unwrap());
        claimed
    }

    /// A writer claims a create and makes the record: the claim, and the record as the system answers with it.
    pub(super) async fn make(&self, link: &LinkId, system: System, id: &str) -> (u64, Sighting) {
        let (claim, write) = self.claim(link, system).await;
        let pair = &self.keeper(self.pair()).pair;
        let stored = self.link(link).await;
        let source = &stored.sides[system.other()].as_ref().expect("a partner is made for a record").view;
        let put = self.put(self.pair(), system, &write, Onto::New { source }).await;
        let mut made = ours(sighting(id, 1, &[]));
        made.record.properties = put.properties;
        for name in pair.names(system) {
            made.record.properties.entry(name.to_owned()).or_insert(Content::Null);
        }
        (claim, made)
    }

    /// The queued write becomes as old as this.
    pub(super) async fn age(&self, id: &LinkId, system: System, age: SignedDuration) {
        let (pair, stored) = (&self.keeper(self.pair()).pair, self.stored_in(self.pair(), id).await.unwrap());
        let mut link = Link::clone(&stored.link);
        let now = Timestamp::now();
        link.pending[system] = Pending::Queued { since: now - age };
        let commit = Commit {
            pair,
            connection: &connection(),
            links: vec![LinkChange { before: Some(stored), after: Some(Arc::new(link)) }],
            checks: Vec::new(),
            outbox: Vec::new(),
            notes: Vec::new(),
            part: None,
            now,
        };
        assert!(self.links().commit(commit).await.unwrap());
    }

    /// A write in its system's own words.
    pub(super) async fn put(&self, pair: &PairName, system: System, write: &Write, onto: Onto<'_>) -> Put {
        let pair = &self.keeper(pair).pair;
        let mut lookups = Lookups { given: given(), ..Lookups::default() };
        for system in System::BOTH {
            lookups.people[system] = self.links().people(&connection(), system).await.unwrap().unwrap();
        }
        let values = write.values();
        let looked = self.links().look_up_records(&connection(), pair, system, values, &mut lookups).await;
        looked.unwrap();
        pair.put(system, values, onto, &lookups).unwrap()
    }

    /// A writer makes the partner and its outcome arrives.
    pub(super) async fn create(&self, link: &LinkId, system: System, id: &str) {
        let (claim, made) = self.make(link, system, id).await;
        self.tell(applied(link, system, claim, made)).await;
    }

    /// Every record belongs to one link, and the indexes lead to it.
    pub(super) async fn assert_sound(&self) {
        let mut owners = BTreeMap::new();
        for link in self.all().await {
            for system in System::BOTH {
                let Some(id) = link.record(system).cloned() else { continue };
                let before = owners.insert((system, id.clone()), link.id.clone());
                assert_eq!(before, None, "{system} record {id} is in two links");
                let indexed = self.link_of(system, id.as_str()).await.map(|owner| owner.id);
                assert_eq!(indexed.as_ref(), Some(&link.id), "the index of {system} record {id}");
            }
            let linked = link.status == Status::Linked;
            assert!(!linked || link.has_both(), "{} is linked with nothing", link.id);
        }
    }
}

/// What the connection gives to its pairs: the account and the item of users' own quotations.
fn given() -> BTreeMap<String, Content> {
    [("literal.account", "a1"), ("literal.item", "i1")]
        .map(|(name, id)| (name.to_owned(), Content::from(id)))
        .into()
}

/// Whether a message arrives on the queue of a handler's pair.
fn is_for(handler: &Handler<Pausing>, message: &Message) -> bool {
    let entities = handler.keepers()[&connection()].pair.entities.clone();
    match message {
        Message::Observed(observed) => entities[observed.system] == observed.entity,
        Message::ReadCompleted(completed) => entities[completed.system] == completed.entity,
        Message::Woken(woken) => woken.pair == handler.pair,
        Message::Outcome(outcome) => outcome.pair == handler.pair,
        Message::WriteQueued(_) => false,
    }
}

/// What a link knows of a property on one side.
pub(super) fn value(link: &Link, system: System, property: &str) -> Option<Value> {
    let property = PropertyName::parse(property).unwrap();
    link.sides[system].as_ref()?.view.get(&property).cloned()
}
