#![allow(clippy::unwrap_used)]

use broker::InProcess;
use contract::{Lane, PairEntities, Topology, Woken};
use model::{ConnectionName, EntityName, LinkId, PairName, RecordId, System};
use uuid::Uuid;

use super::*;

const REASON: &str = "no service of ours sent it";

fn pair() -> PairName {
    PairName::parse("customer-account").unwrap()
}

struct Stage {
    broker: InProcess,
    names: Names,
    letters: DeadLetters<InProcess>,
}

impl Stage {
    async fn new() -> Self {
        let names = Names::new("test");
        let entity = |name: &str| EntityName::parse(name).unwrap();
        let (customcrm, exactonline) = (entity("customers"), entity("accounts"));
        let pairs = [PairEntities { pair: pair(), customcrm, exactonline }];
        let broker = InProcess::new();
        broker.declare(&Topology::new(names.clone(), &pairs)).await.unwrap();
        let letters = DeadLetters::new(broker.clone(), names.clone());
        Self { broker, names, letters }
    }

    /// A message that a service sets aside; gives its id.
    async fn dies(&self, body: Vec<u8>) -> String {
        let (id, queue) = (Uuid::now_v7().to_string(), self.names.pair(&pair()));
        let headers = BTreeMap::from([("traceparent".to_owned(), "00-1-2-01".to_owned())]);
        let at = "2026-03-02T08:00:00Z".parse().unwrap();
        let outgoing = Outgoing {
            exchange: String::new(),
            routing_key: queue.clone(),
            id: id.clone(),
            headers,
            at,
            body,
        };
        self.broker.publish(vec![outgoing]).await.unwrap();
        let delivery = self.broker.subscribe(&queue, 1).await.unwrap().next().await.unwrap();
        delivery.settle(Settlement::DeadLetter { reason: REASON.to_owned() }).await.unwrap();
        id
    }

    async fn waiting(&self, queue: &str) -> u64 {
        self.broker.depth(queue).await.unwrap()
    }
}

fn woken() -> Vec<u8> {
    let (connection, link) = (
        ConnectionName::parse("acme").unwrap(),
        LinkId::begun_by(System::CustomCrm, &RecordId::parse("c1").unwrap()),
    );
    let message = Message::Woken(Woken { connection, pair: pair(), link, lane: Lane::Live });
    message.write(Uuid::now_v7(), "test", "2026-03-02T08:00:00Z".parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn who_looks_leaves_them_where_they_are() {
    let stage = Stage::new().await;
    let body = woken();
    let (known, unknown) = (stage.dies(body.clone()).await, stage.dies(b"{".to_vec()).await);
    for _ in 0..2 {
        let Letters { letters, others, .. } = stage.letters.look(&Which::All).await.unwrap();
        assert_eq!(others, 0);
        let [first, second] = letters.as_slice() else { panic!("{letters:?}") };
        assert_eq!((first.id.as_str(), second.id.as_str()), (known.as_str(), unknown.as_str()));
        assert_eq!(first.queue, Some(stage.names.pair(&pair())));
        assert_eq!((first.reason.as_str(), first.about.kind), (REASON, Some("woken")));
        assert_eq!(first.about.link_or_record.as_deref(), Some("customcrm:c1"));
        assert_eq!(second.about, About::default(), "what can't be read is told without what it speaks of");
    }
    let (letter, content) = stage.letters.one(&known).await.unwrap().unwrap();
    assert_eq!((letter.id, content), (known, body));
    assert_eq!(stage.letters.one("another").await.unwrap(), None);
    assert_eq!(stage.waiting(&stage.names.dead_letters()).await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_replayed_comes_to_its_queue_as_if_for_the_first_time_and_the_rest_stays() {
    let stage = Stage::new().await;
    let (chosen, other) = (stage.dies(woken()).await, stage.dies(woken()).await);
    let which = Which::Ids(BTreeSet::from([chosen.clone(), "another".to_owned()]));
    let done = stage.letters.replay(&which).await.unwrap();
    assert_eq!(done.letters.iter().map(|letter| &letter.id).collect::<Vec<_>>(), [&chosen]);
    assert_eq!((done.unknown, done.stayed), (BTreeSet::from(["another".to_owned()]), Vec::new()));

    let queue = stage.names.pair(&pair());
    let back = stage.broker.subscribe(&queue, 1).await.unwrap().next().await.unwrap();
    assert_eq!((back.id(), back.attempt()), (chosen.as_str(), 1));
    assert_eq!(back.headers().keys().collect::<Vec<_>>(), ["traceparent"], "its trace goes on");
    let left = stage.letters.look(&Which::All).await.unwrap().letters;
    assert_eq!(left.iter().map(|letter| &letter.id).collect::<Vec<_>>(), [&other]);
}

#[tokio::test(start_paused = true)]
async fn what_came_from_a_queue_that_is_gone_stays_and_says_so() {
    let stage = Stage::new().await;
    let headers = |origin: &[(&str, &str)]| {
        origin.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    for (id, headers) in [("1", headers(&[(ORIGIN_HEADER, "test.pair.gone")])), ("2", headers(&[]))] {
        let (routing_key, at) = (stage.names.dead_letters(), "2026-03-02T08:00:00Z".parse().unwrap());
        let outgoing =
            Outgoing { exchange: String::new(), routing_key, id: id.to_owned(), headers, at, body: woken() };
        stage.broker.publish(vec![outgoing]).await.unwrap();
    }
    let done = stage.letters.replay(&Which::All).await.unwrap();
    assert_eq!(done.letters, []);
    let why: Vec<&str> = done.stayed.iter().map(|stayed| stayed.why.as_str()).collect();
    assert_eq!(
        why,
        ["there is no queue test.pair.gone any more", "it does not say which queue it came from"]
    );
    assert_eq!(stage.waiting(&stage.names.dead_letters()).await, 2, "nothing is lost");
}

#[tokio::test(start_paused = true)]
async fn what_is_discarded_is_gone_and_only_what_came_from_the_queue_that_was_named() {
    let stage = Stage::new().await;
    stage.dies(woken()).await;
    let elsewhere = Which::From("test.pair.another".to_owned());
    assert_eq!(stage.letters.discard(&elsewhere).await.unwrap().letters, []);
    let (letters, here) = (&stage.letters, Which::From(stage.names.pair(&pair())));
    assert_eq!(letters.discard(&here).await.unwrap().letters.len(), 1);
    assert_eq!(letters.look(&Which::All).await.unwrap().letters, []);
}
