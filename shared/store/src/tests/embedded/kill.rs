//! A process that writes and is killed: what it was told to be written is there, whole, in one file.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::super::{Names, at, set, value};
use crate::{Applied, Batch, Change, Check, Embedded, Key, Leased, Store, StoreError};

/// Names the file for [`a_writer_to_be_killed`], which a test starts as a process of its own.
const FILE_VARIABLE: &str = "STORE_TEST_FILE";
/// Another seed than the usual one, to look for what that one does not show.
const SEED_VARIABLE: &str = "STORE_TEST_SEED";
const WRITERS: u64 = 4;
const ROUNDS: u64 = 25;
/// Values are longer than a page, so that a batch touches many.
const LENGTH: usize = 6_000;

fn key_of(writer: u64) -> Key {
    Key::of("kill", "connection", &["count", &writer.to_string()])
}

/// The batch with this number of a writer. All that it changes tells the number.
fn batch(writer: u64, number: u64, revision: Option<u64>) -> Batch {
    let (key, text) = (key_of(writer), number.to_string());
    let before = match revision {
        Some(revision) => Check::Revision(key.clone(), revision),
        None => Check::Absent(key.clone()),
    };
    let value = format!("{text}:{}", "x".repeat(LENGTH));
    Batch::new()
        .when(before)
        .then(set(&key, &value))
        .then(Change::Add { key: key.clone(), member: text.clone() })
        .then(Change::Schedule {
            key: key.clone(),
            member: "newest".into(),
            at: at(i64::try_from(number).unwrap()),
        })
        .then(Change::Append { key, value: text, keep: 3 })
}

/// The number of a writer's last batch, and its revision; panics where it is not there as a whole.
async fn last(store: &Embedded, writer: u64) -> (u64, Option<u64>) {
    let key = key_of(writer);
    let entry = store.get(&key).await.unwrap();
    let number = entry.as_ref().map_or(0, |entry| entry.value.split(':').next().unwrap().parse().unwrap());
    assert_eq!(store.count(&key).await.unwrap(), number, "half a batch");
    let newest = store.list(&key, 1).await.unwrap();
    assert_eq!(
        newest,
        entry.as_ref().map(|_| number.to_string()).into_iter().collect::<Vec<_>>(),
        "half a batch"
    );
    let is_due = |at| store.due(&key, at, 1);
    let scheduled = i64::try_from(number).unwrap();
    assert!(is_due(at(scheduled - 1)).await.unwrap().is_empty(), "half a batch");
    assert_eq!(is_due(at(scheduled)).await.unwrap().len(), usize::from(number > 0), "half a batch");
    (number, entry.map(|entry| entry.revision))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that another test starts and kills"]
async fn a_writer_to_be_killed() {
    let store = Embedded::open(std::env::var(FILE_VARIABLE).unwrap()).unwrap();
    let output = Arc::new(std::sync::Mutex::new(std::io::stdout()));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, output) = (store.clone(), Arc::clone(&output));
        writers.spawn(async move {
            let (first, mut revision) = last(&store, writer).await;
            let lease = Key::of("kill", "connection", &["lease", &writer.to_string()]);
            for number in first + 1.. {
                let Applied::Done { revision: given } =
                    store.apply(batch(writer, number, revision)).await.unwrap()
                else {
                    panic!("somebody else writes")
                };
                revision = Some(given);
                // Only what has been acknowledged is told.
                writeln!(output.lock().unwrap(), "\nacknowledged {writer} {number} {given}").unwrap();
                let held = store.lease(&lease, "me", Duration::from_mins(10)).await.unwrap();
                assert!(matches!(held, Leased::Held { .. }));
            }
        });
    }
    writers.join_all().await;
}

struct Writer {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    /// Of each writer the last batch that it was told to be written, and its revision.
    acknowledged: BTreeMap<u64, (u64, u64)>,
}

impl Writer {
    fn start(path: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::embedded::kill::a_writer_to_be_killed", "--ignored", "--nocapture"])
            .env(FILE_VARIABLE, path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, acknowledged: BTreeMap::new() }
    }

    /// Reads what it was told next; false once it has ended.
    fn is_told(&mut self) -> bool {
        for line in self.lines.by_ref() {
            // The last line may be cut off.
            let line = line.unwrap();
            let Some(told) = line.strip_prefix("acknowledged ") else { continue };
            let told: Vec<u64> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
            if let [writer, number, revision] = told[..] {
                self.acknowledged.insert(writer, (number, revision));
                return true;
            }
        }
        false
    }

    /// Ends it with `SIGKILL`, and reads what it was still told.
    fn kill(mut self) -> BTreeMap<u64, (u64, u64)> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        while self.is_told() {}
        self.acknowledged
    }
}

/// Numbers that look random and follow from the seed (SplitMix64).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_whole_and_in_one_file_whenever_the_process_is_killed() {
    let mut seed = std::env::var(SEED_VARIABLE).map_or(1, |seed| seed.parse().unwrap());
    println!("{SEED_VARIABLE}={seed}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut numbers = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut writer = Writer::start(&path);
        // Some are killed while they open the file, others in a commit.
        let batches = next(&mut seed) % 60;
        for _ in 0..batches.saturating_sub(20) {
            assert!(writer.is_told(), "the writer ended by itself");
        }
        std::thread::sleep(Duration::from_micros(next(&mut seed) % 20_000));
        let acknowledged = writer.kill();
        let files: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert!(files.is_empty() || files == ["store"], "{files:?}");
        let store = Embedded::open(&path).unwrap();
        for writer in 0..WRITERS {
            let (number, revision) = last(&store, writer).await;
            let before = numbers.insert(writer, number).unwrap_or(0);
            assert!(number >= before, "round {round}, writer {writer}: {number}, after {before} was there");
            if let Some(&(told, its_revision)) = acknowledged.get(&writer) {
                assert!(
                    number >= told,
                    "round {round}, writer {writer}: {number}, though {told} was acknowledged"
                );
                assert!(revision >= Some(its_revision), "round {round}: a revision came again");
            }
        }
    }
    println!("batches in {ROUNDS} rounds: {}", numbers.values().sum::<u64>());
    assert!(numbers.values().all(|number| *number > 50), "{numbers:?}");
}

#[tokio::test]
async fn a_file_that_another_process_has_open_is_said_to_be_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut writer = Writer::start(&path);
    assert!(writer.is_told());
    let error = Embedded::open(&path).unwrap_err();
    assert!(matches!(&error, StoreError::FileHeld { path: held } if *held == path), "{error:?}");
    writer.kill();
    let key = Names::new().key(&["a"]);
    assert_eq!(value(&Embedded::open(&path).unwrap(), &key).await, None);
}
