use std::fmt::Write as _;
use std::path::PathBuf;

use exactonline::{ExactOnline, Settings};
use model::ConnectionName;
use serde_json::Value;
use simulator_exactonline::{Limits, Running, Simulator, Switches};
use store::{Embedded, Store};
use tempfile::TempDir;

/// A simulated Exact Online, and a folder with a configuration for it. Nobody has given consent yet.
pub(crate) struct Shop {
    pub(crate) exact: Running,
    pub(crate) folder: TempDir,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let exact = Simulator::start(simulator_exactonline::Settings {
            further_divisions: vec![7, 8],
            switches: Switches { divisions_out_of_scope: vec![8], ..Switches::default() },
            limits: Limits { per_minute: 1_000_000, per_day: 1_000_000, ..Limits::default() },
            ..Default::default()
        })
        .await
        .unwrap();
        let shop = Self { exact, folder: tempfile::tempdir().unwrap() };
        std::fs::write(shop.folder.path().join("exact-secret"), &shop.exact.client_secret).unwrap();
        shop.configure(&[]);
        shop
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("tandem.toml")
    }

    pub(crate) fn grant_file(&self) -> PathBuf {
        self.folder.path().join("grant.json")
    }

    pub(crate) fn filed(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.grant_file()).unwrap()).unwrap()
    }

    /// Writes the configuration, with these changes: another line for a key, no redirect, another connection, or a
    /// section at the end.
    pub(crate) fn configure(&self, changes: &[&str]) {
        let mut side = vec![
            format!("url = \"{}\"", self.exact.base_url),
            format!("division = {}", self.exact.division),
            format!("client_id = \"{}\"", self.exact.client_id),
            "client_secret_file = \"exact-secret\"".to_owned(),
            "grant_file = \"grant.json\"".to_owned(),
            format!("redirect_uri = \"{}\"", self.exact.redirect_uri),
        ];
        let (mut connections, mut sections) = (vec!["acme"], Vec::new());
        for change in changes {
            match change.split_once(" = ") {
                _ if change.starts_with('[') => sections.push(*change),
                Some((key, _)) => {
                    let line = side.iter_mut().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
                    (*change).clone_into(line);
                }
                None if *change == "no redirect" => side.retain(|line| !line.starts_with("redirect_uri")),
                None => connections.push("beta"),
            }
        }
        let mut text = sections.join("\n");
        for name in connections {
            let mut side = side.join("\n");
            if name == "beta" {
                // No two connections have one division, or one grant.
                side = side.replace("division = ", "division = 1").replace("grant.json", "other-grant.json");
            }
            write!(text, "\n[[connection]]\nname = \"{name}\"\n[connection.exactonline]\n{side}\n").unwrap();
        }
        std::fs::write(self.config(), text).unwrap();
    }

    /// Adds to the configuration: keys before all sections, and a section of the last connection.
    pub(crate) fn configure_too(&self, keys: &str, section: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        std::fs::write(self.config(), format!("{keys}\n{text}{section}")).unwrap();
    }

    /// The store that the configuration leads to by itself.
    pub(crate) fn stored(&self) -> Embedded {
        Embedded::open(self.folder.path().join("tandem.redb")).unwrap()
    }

    /// A client as a service of the connection has it.
    pub(crate) fn client<S: Store>(&self, store: S) -> ExactOnline<S> {
        self.client_with(self.grant_file(), "tandem", store)
    }

    pub(crate) fn client_with<S: Store>(
        &self,
        grant_file: PathBuf,
        namespace: &str,
        store: S,
    ) -> ExactOnline<S> {
        let settings = Settings::new(
            self.exact.base_url.parse().unwrap(),
            u32::try_from(self.exact.division).unwrap(),
            ConnectionName::parse("acme").unwrap(),
            namespace,
            (&self.exact.client_id, self.exact.client_secret.clone().into()),
            grant_file,
        );
        ExactOnline::new(settings, store).unwrap()
    }

    /// How often tokens were asked for.
    pub(crate) fn token_calls(&self) -> usize {
        self.exact.control().log().iter().filter(|call| call.path.contains("/oauth2/token")).count()
    }
}
