use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crms::{COLLECTIONS, Crm, Webhook};
use serde_json::{Value, json};
use servers::{Binary, Folder, Process, wait_until_async};

use super::agreement::{self, Told};
use super::exact::Exact;

/// How often each collector asks for changes.
const POLL_SECONDS: f64 = 0.3;
/// The same where the CRM tells of changes by itself: nothing is seen in time that it did not tell of.
const POLL_SECONDS_WITH_WEBHOOKS: f64 = 600.0;
/// How long it may take on a machine that is busy otherwise until both sides agree.
const AGREES_WITHIN: Duration = Duration::from_mins(1);
/// How long nothing may be written until both sides count as at rest: several polls.
const REST: Duration = Duration::from_millis(1_500);
/// How long a stop may take.
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// One company: a CRM, its Exact Online, and `tandem run` between them.
pub(crate) struct World {
    pub(crate) crm: Crm,
    pub(crate) exact: Exact,
    tandem: Process,
}

/// What a person has written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    /// The file of the declaration.
    pub(crate) declaration: &'a str,
    pub(crate) webhook: Option<&'a Webhook>,
    /// The CRM's customers keep the ids of their accounts, and partners are found by nothing else.
    pub(crate) keeps_ids: bool,
}

impl World {
    /// Starts Tandem as a person does who has written this configuration.
    pub(crate) fn start(crm: Crm, exact: Exact, written: Written<'_>) -> Self {
        let grant = json!({ "refresh_token": exact.running.refresh_token }).to_string();
        Self::start_with(crm, exact, written, &grant)
    }

    /// The store is lost: Tandem begins anew with the grant that it has, and knows nothing else.
    pub(crate) fn without_its_store(self, written: Written<'_>) -> Self {
        let Self { crm, exact, mut tandem } = self;
        stop(&mut tandem);
        let grant = fs::read_to_string(tandem.folder().join("grant.json")).unwrap();
        Self::start_with(crm, exact, written, &grant)
    }

    fn start_with(crm: Crm, exact: Exact, written: Written<'_>, grant: &str) -> Self {
        let folder = Folder::new("scenario").unwrap();
        folder.write("grant.json", grant).unwrap();
        let config = configure(&folder, &crm, &exact, written);
        let binary = Binary::named("tandem").unwrap();
        let arguments = [Path::new("run"), Path::new("--config"), &config];
        let tandem = Process::spawn_in(folder, &binary, arguments, [("RUST_BACKTRACE", "1")]).unwrap();
        Self { crm, exact, tandem }
    }

    /// Waits until both sides hold the same and nothing is written any more; gives what they hold.
    pub(crate) async fn rests(&mut self) -> Told {
        let mut last = (self.state().await, Instant::now());
        wait_until_async("both sides to agree and rest", AGREES_WITHIN, async || {
            assert!(self.tandem.is_running().unwrap(), "tandem has ended");
            let told = agreement::between(&self.crm, &self.exact).await?;
            let state = self.state().await;
            if last.0 != state {
                last = (state, Instant::now());
            }
            if last.1.elapsed() < REST {
                Err("something was written a moment ago".to_owned())
            } else {
                Ok(told)
            }
        })
        .await
    }

    /// All that the CRM holds, and what was written to Exact: as long as this is the same nothing is written.
    async fn state(&self) -> (Vec<Vec<Value>>, Vec<String>) {
        let mut held = Vec::new();
        for collection in COLLECTIONS {
            held.push(self.crm.records(collection).await);
        }
        (held, self.exact.writes())
    }

    /// Stops Tandem in good order.
    pub(crate) fn end(mut self) {
        stop(&mut self.tandem);
    }
}

fn stop(tandem: &mut Process) {
    tandem.terminate().unwrap();
    assert_eq!(tandem.wait_for_exit(STOPS_WITHIN).unwrap(), Some(0), "tandem stops in good order");
}

/// Writes the configuration and what it names into the folder; gives its path.
fn configure(folder: &Folder, crm: &Crm, exact: &Exact, written: Written<'_>) -> PathBuf {
    let Written { declaration, webhook, keeps_ids } = written;
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let pairs = pairs(folder, &deploy.join("pairs"), keeps_ids);
    let mut text = fs::read_to_string(deploy.join("customcrm").join(declaration)).unwrap();
    if webhook.is_none() {
        text = text.replace("\n[incremental]\n", "\n[incremental]\nscan_seconds = 1\n");
    }
    folder.write(declaration, &text).unwrap();
    let exact = &exact.running;
    folder.write("exact-secret", &exact.client_secret).unwrap();
    let (mut listens, mut customcrm) = (String::new(), String::new());
    if let Some(token) = crm.token() {
        folder.write("crm-token", token).unwrap();
        customcrm.push_str("token_file = \"crm-token\"\n");
    }
    let mut poll_seconds = POLL_SECONDS;
    if let Some(Webhook { url, secret }) = webhook {
        folder.write("crm-webhook", secret).unwrap();
        // Who posts to the public name comes through an Ingress to the port; the path stays the same.
        let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        listens = format!("[webhooks]\nlisten = \"{address}\"\n");
        poll_seconds = POLL_SECONDS_WITH_WEBHOOKS;
        customcrm.push_str("[connection.customcrm.webhooks]\nsecret_file = \"crm-webhook\"\n");
        writeln!(customcrm, "url = \"https://sync.example.com/{path}\"").unwrap();
    }
    let text = format!(
        r#"
pairs = "{pairs}"
[health]
listen = "127.0.0.1:0"
[log]
filter = "info"
[store]
file = "tandem.redb"
{listens}
[[connection]]
name = "acme"
reading = "practical"
[connection.customcrm]
url = "{crm_url}"
declaration = "{declaration}"
poll_seconds = {poll_seconds}
calls_per_minute = 1000000
{customcrm}
[connection.exactonline]
url = "{exact_url}"
division = {division}
client_id = "{client_id}"
client_secret_file = "exact-secret"
grant_file = "grant.json"
poll_seconds = {POLL_SECONDS}
calls_per_minute = 1000000
calls_per_day = 10000000
"#,
        pairs = pairs.display(),
        crm_url = crm.url(),
        exact_url = exact.base_url,
        division = exact.division,
        client_id = exact.client_id,
    );
    folder.write("tandem.toml", &text).unwrap()
}

/// A row by which the CRM keeps the id of an account.
const KEEPS_ID: &str = r#"
[[property]]
customcrm = "ExactId"
exactonline = "ID"
edm = "Edm.Guid"
kind = "text"
direction = "to-crm"
"#;

/// The pair files as they are deployed, but that a deleted order takes its sales order with it and the other way round.
fn pairs(folder: &Folder, deployed: &Path, keeps_ids: bool) -> PathBuf {
    let pairs = folder.make("pairs").unwrap();
    for entry in fs::read_dir(deployed).unwrap() {
        let path = entry.unwrap().path();
        let mut text = fs::read_to_string(&path).unwrap();
        if path.ends_with("order-salesorder.toml") {
            for (system, entity) in [("customcrm", "orders"), ("exactonline", "salesorders")] {
                let side = format!("\n[{system}]\nentity = \"{entity}\"\n");
                assert!(text.contains(&side), "{side}");
                text = text.replace(&side, &format!("{side}delete = \"propagate\"\n"));
            }
        }
        if keeps_ids && path.ends_with("customer-account.toml") {
            let keys =
                "\nmatch_keys = [\"VatNumber\", \"OrganizationNumber\", \"CustomerNumber\", \"Email\"]\n";
            assert!(text.contains(keys), "{keys}");
            text = text.replacen(keys, "\nmatch_keys = [\"ExactId\"]\n", 1);
            text = text.replacen("\n[[property]]\n", &format!("{KEEPS_ID}\n[[property]]\n"), 1);
        }
        fs::write(pairs.join(path.file_name().unwrap()), text).unwrap();
    }
    pairs
}
