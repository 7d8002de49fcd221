//! Where links are kept: one file, one Redis server, one of several that Sentinels name, or a cluster.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::SecretString;
use store::{Address, ClusterServers, Login, SentinelServers};

use super::super::section::Section;
use super::super::{RedisConfig, Servers, StoreConfig};
use super::Reader;

/// More databases than any server has.
const DATABASES: i64 = 1_000_000;

/// A user, and the file that their password was read from.
type Credentials = (Login, Option<PathBuf>);

impl Reader<'_> {
    pub(super) fn store(&self, root: &Section<'_>) -> Option<StoreConfig> {
        let remedy = "add a section [store] with url or url_file, as redis://host:6379";
        let Some(section) = root.section("store") else {
            if self.needs.servers == Servers::Required && !root.has("store") {
                root.problem("store", "is missing", remedy);
                return None;
            }
            let path = self.folder.join("tandem.redb");
            return (!root.has("store")).then_some(StoreConfig::File { path });
        };
        let store = if section.has("file") {
            self.store_file(&section)
        } else if section.has("sentinels") {
            self.sentinels(&section).map(StoreConfig::Redis)
        } else if section.has("cluster") {
            self.cluster(&section).map(StoreConfig::Redis)
        } else if section.has("url") || section.has("url_file") {
            let found = self.server_url(&section, "redis", "redis://host:6379");
            found.map(|(url, url_file)| StoreConfig::Redis(RedisConfig::Server { url, url_file }))
        } else {
            let remedy = "add url or url_file, as redis://host:6379, or sentinels, or cluster";
            section.problem("url", "is missing", remedy);
            None
        };
        section.finish();
        store
    }

    fn store_file(&self, section: &Section<'_>) -> Option<StoreConfig> {
        let path = self.folder.join(section.text("file")?);
        if ["url", "url_file", "sentinels", "cluster"].map(|key| section.has(key)).contains(&true) {
            section.problem("file", "stands beside an address", "keep one of them");
            return None;
        }
        if self.needs.servers == Servers::Required {
            let remedy =
                "give url or url_file of a Redis server, or run everything in one process with `tandem run`";
            section.problem("file", "cannot be shared by several processes", remedy);
            return None;
        }
        if !path.parent().is_some_and(Path::is_dir) {
            section.problem("file", "is in a folder that does not exist", "make the folder first");
            return None;
        }
        Some(StoreConfig::File { path })
    }

    fn sentinels(&self, section: &Section<'_>) -> Option<RedisConfig> {
        let alone = stands_alone(section, "sentinels", &["url", "url_file", "cluster"]);
        let sentinels = addresses(section, "sentinels", "host:26379");
        let master = section.required_text("master", "\"tandem\", the name by which the Sentinels know it");
        let database = database(section);
        let login = self.login(section, "user", "password_file");
        let sentinel_login = self.login(section, "sentinel_user", "sentinel_password_file");
        let (login, password_file) = login?;
        let (sentinel_login, sentinel_password_file) = sentinel_login?;
        let (sentinels, database, master) = (sentinels?, database?, master?.to_owned());
        let servers = SentinelServers { sentinels, sentinel_login, master, login, database };
        alone.then_some(RedisConfig::Sentinels { servers, password_file, sentinel_password_file })
    }

    fn cluster(&self, section: &Section<'_>) -> Option<RedisConfig> {
        let alone = stands_alone(section, "cluster", &["url", "url_file"]);
        let nodes = addresses(section, "cluster", "host:6379");
        let (login, password_file) = self.login(section, "user", "password_file")?;
        let servers = ClusterServers { nodes: nodes?, login };
        alone.then_some(RedisConfig::Cluster { servers, password_file })
    }

    fn login(
        &self,
        section: &Section<'_>,
        user_key: &'static str,
        password_key: &'static str,
    ) -> Option<Credentials> {
        let user = section.text(user_key).map(str::to_owned);
        if !section.has(password_key) {
            if user.is_some() {
                let remedy = format!("add {password_key}, a file that holds the password");
                section.problem(user_key, "has no password", remedy);
                return None;
            }
            return Some((Login::default(), None));
        }
        let (file, password) = self.secret(section, password_key)?;
        Some((Login { user, password: Some(SecretString::from(password)) }, Some(file)))
    }
}

fn stands_alone(section: &Section<'_>, key: &'static str, others: &[&'static str]) -> bool {
    match others.iter().find(|other| section.has(other)) {
        Some(other) => {
            section.problem(key, format!("stands beside {other}"), "keep one of them");
            false
        }
        None => true,
    }
}

/// Addresses, at least one. The list is not shown where it may hold a password.
fn addresses(section: &Section<'_>, key: &'static str, example: &str) -> Option<Vec<Address>> {
    let remedy = format!("write it as [\"{example}\", ...]");
    let written = section.texts(key, &remedy)?;
    if written.is_empty() {
        section.problem(key, "is empty", remedy);
        return None;
    }
    let read: Result<Vec<_>, _> = written.iter().map(|text| Address::from_str(text)).collect();
    if read.is_err() && written.iter().any(|text| text.contains('@')) {
        let remedy = format!("{remedy}, and a password into a file that password_file names");
        section.problem_with_secret(key, "does not hold hosts with their ports", remedy);
    } else if read.is_err() {
        section.problem(key, "does not hold hosts with their ports", remedy);
    }
    read.ok()
}

fn database(section: &Section<'_>) -> Option<u32> {
    if !section.has("database") {
        return Some(0);
    }
    let number = section.whole("database")?;
    let database = u32::try_from(number).ok().filter(|_| number < DATABASES);
    if database.is_none() {
        section.problem("database", "is no number of a database", "write a whole number from 0, as in 1");
    }
    database
}
