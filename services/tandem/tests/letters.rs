//! `tandem dead-letters` as an operator runs it: the program itself, and a real RabbitMQ.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use broker::{Broker, Delivery, Outgoing, RabbitMq, Settlement, Subscription};
use contract::{Names, Topology};
use mapping::Reading;
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

const REASON: &str = "the connection \"acme\" is not configured here";

struct Office {
    folder: tempfile::TempDir,
    broker: RabbitMq,
    names: Names,
    queue: String,
}

impl Office {
    async fn open() -> Self {
        let url = tokio::task::spawn_blocking(servers::RabbitMq::shared_url).await.unwrap();
        // At most 32 characters.
        let unique = Uuid::new_v4().simple().to_string();
        let namespace = format!("letters-{}", &unique[..12]);
        let folder = tempfile::tempdir().unwrap();
        let pairs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs");
        std::fs::write(folder.path().join("amqp"), &url).unwrap();
        let configuration = format!(
            "namespace = \"{namespace}\"\npairs = \"{}\"\n[broker]\nurl_file = \"amqp\"\n[store]\nfile = \"links\"\n\
             [[connection]]\nname = \"acme\"\n",
            pairs.display()
        );
        std::fs::write(folder.path().join("tandem.toml"), configuration).unwrap();
        let broker = RabbitMq::new(&SecretString::from(url), "test").unwrap();
        let topology: Topology =
            service::topology(&namespace, &service::load_pairs(&pairs, Reading::Practical).unwrap());
        broker.declare(&topology).await.unwrap();
        let queue = topology.names.pair(&model::PairName::parse("customer-account").unwrap());
        Self { folder, broker, names: topology.names, queue }
    }

    /// Something that a mapper sets aside.
    async fn dies(&self, content: &str) -> String {
        let (id, routing_key) = (Uuid::now_v7().to_string(), self.queue.clone());
        let (headers, at, body) = ([].into(), jiff::Timestamp::now(), content.as_bytes().to_vec());
        let outgoing = Outgoing { exchange: String::new(), routing_key, id: id.clone(), headers, at, body };
        self.broker.publish(vec![outgoing]).await.unwrap();
        let delivery = self.broker.subscribe(&self.queue, 1).await.unwrap().next().await.unwrap();
        delivery.settle(Settlement::DeadLetter { reason: REASON.to_owned() }).await.unwrap();
        id
    }

    async fn tandem(&self, arguments: &[&str]) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.arg("dead-letters").args(arguments).arg("--config").arg(self.path("tandem.toml"));
        command.stdin(Stdio::null());
        Told::of(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
    }

    async fn listed(&self) -> Value {
        let told = self.tandem(&["list", "--output", "json"]).await;
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        serde_json::from_str(&told.stdout).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

struct Told {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Told {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_looks_at_dead_letters_replays_one_and_discards_another() {
    let office = Office::open().await;
    assert_eq!(office.tandem(&["list"]).await.stdout, "no dead letters\n");
    let (first, second) = (office.dies("Jansen of Utrecht").await, office.dies("{}").await);

    let table = office.tandem(&["list"]).await;
    assert_eq!(table.code, Some(0), "{}", table.stderr);
    let rows: Vec<&str> = table.stdout.lines().collect();
    assert!(
        rows[1].contains(&first) && rows[1].contains(&office.queue) && rows[1].contains(REASON),
        "{rows:?}"
    );
    assert!(rows[2].contains(&second) && table.stdout.ends_with("\n2 dead letters\n"), "{rows:?}");
    assert_eq!(office.listed().await["letters"][0]["reason"], REASON);

    // What a person entered is shown to whoever asks for it, and nowhere else.
    let shown = office.tandem(&["show", &first]).await;
    assert!(shown.stdout.contains(&office.queue), "{}", shown.stdout);
    assert!(![&table, &shown].iter().any(|told| told.stdout.contains("Jansen")));
    assert!(office.tandem(&["show", &first, "--content"]).await.stdout.contains("Jansen of Utrecht"));

    let unasked = office.tandem(&["discard", "--all"]).await;
    assert_eq!(unasked.code, Some(64));
    assert!(
        unasked.stderr.contains("discard 2 of them") && unasked.stderr.contains("--yes"),
        "{}",
        unasked.stderr
    );
    let unknown = office.tandem(&["replay", "--yes", &first, "another"]).await;
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), "replayed: 1\nunknown: another\n"));
    let back = office.broker.subscribe(&office.queue, 1).await.unwrap().next().await.unwrap();
    assert_eq!((back.id(), back.attempt()), (first.as_str(), 1));
    back.settle(Settlement::Acknowledge).await.unwrap();
    let gone = office.tandem(&["discard", "--yes", "--from", &office.queue]).await;
    assert_eq!((gone.code, gone.stdout.as_str()), (Some(0), "discarded: 1\n"));
    assert_eq!(office.broker.depth(&office.names.dead_letters()).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_asked_for_is_told_with_its_remedy() {
    let office = Office::open().await;
    let nothing = office.tandem(&["replay", "--yes"]).await;
    assert_eq!(nothing.code, Some(64));
    assert!(nothing.stderr.contains("--all"), "{}", nothing.stderr);
    let missing = office.tandem(&["show", "another"]).await;
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("there is no dead letter another"), "{}", missing.stderr);

    let text = std::fs::read_to_string(office.path("tandem.toml")).unwrap();
    std::fs::write(office.path("tandem.toml"), text.replace("[broker]\nurl_file = \"amqp\"\n", "")).unwrap();
    let within = office.tandem(&["list"]).await;
    assert_eq!(within.code, Some(64));
    assert!(within.stderr.contains("name a RabbitMQ in [broker]"), "{}", within.stderr);
}
