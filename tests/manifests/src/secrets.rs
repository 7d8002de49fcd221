//! Secrets: none is in the tree, so what is known of them is the commands that make them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::top;

/// The keys of each Secret, by its name.
#[derive(Debug)]
pub struct Secrets(BTreeMap<String, BTreeSet<String>>);

/// How a command begins that makes a Secret, and the keys that it makes by itself.
const COMMANDS: [(&str, &[&str]); 3] = [
    ("kubectl create secret generic ", &[]),
    ("kubectl create secret tls ", &["tls.crt", "tls.key"]),
    ("secret ", &[]),
];

impl Secrets {
    /// Of a cluster in which nobody made any.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Those that the commands of a file of `deploy/kubernetes` make.
    pub(crate) fn made_by(file: &str) -> Self {
        let text =
            fs::read_to_string(top().join("deploy/kubernetes").join(file)).unwrap().replace("\\\n", " ");
        let mut secrets = BTreeMap::new();
        for line in text.lines() {
            for (command, keys) in COMMANDS {
                let Some(rest) = line.trim().strip_prefix(command) else { continue };
                let Some(name) =
                    rest.split_whitespace().next().filter(|name| name.starts_with(char::is_alphabetic))
                else {
                    continue;
                };
                let named = rest.split(" --from-").skip(1).filter_map(|from| {
                    let from = from.strip_prefix("file=").or_else(|| from.strip_prefix("literal="))?;
                    from.split('=').next()
                });
                let keys: BTreeSet<String> = keys.iter().copied().chain(named).map(str::to_owned).collect();
                secrets.entry(name.to_owned()).or_insert_with(BTreeSet::new).extend(keys);
            }
        }
        assert!(!secrets.is_empty(), "{file} makes no Secret");
        Self(secrets)
    }

    /// The keys of a Secret; `None` where no command makes it.
    pub fn keys(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.0.get(name)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What may stand in such a Secret.
pub(crate) fn example(secret: &str, key: &str) -> &'static str {
    match (secret, key) {
        ("tandem-broker", "url") => "amqp://tandem:none@rabbitmq.example.com:5672/%2f",
        ("tandem-store", "url") => "redis://:none@redis.example.com:6379",
        ("tandem-customcrm-webhooks", _) => "whsec_bm9uZS1vdXRzaWRlLXRoaXMtdGVzdA==",
        _ => "none-outside-this-test",
    }
}
