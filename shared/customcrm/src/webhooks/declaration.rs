//! What a declaration says of webhooks: as written, and as meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::EntityName;
use reqwest::header::HeaderName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::path::Path;

#[cfg(test)]
pub(super) mod tests;

/// How the CRM tells of changes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhooksDeclaration {
    /// How its notifications are signed.
    pub scheme: Scheme,
    /// The header that holds the signature. Only with scheme = "hmac".
    pub header: Option<String>,
    /// How the signature is written there. Only with scheme = "hmac".
    pub encoding: Option<Encoding>,
    /// What stands before the signature there, such as "sha256=". Only with scheme = "hmac".
    pub prefix: Option<String>,
    /// Where the body says what happened, as a dotted path such as "type" or "event.name". Without this key every
    /// notification leads to a read of all collections.
    #[serde(rename = "type")]
    pub type_at: Option<String>,
    /// Where the body says which record it happened to, as a dotted path such as "data.id". It is for logs only.
    #[serde(rename = "id")]
    pub id_at: Option<String>,
    /// Which type tells of which collection. A * at the end of a type stands for any rest; the longest type that fits
    /// counts, and what fits none is ignored.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
    /// Which types tell that a record, or a line of one, is gone. A * at the beginning or the end of a type stands for any
    /// rest. They lead to a read of everything at once, where a read of what changed does not show what is gone; without
    /// this key only a notification does after which nothing has changed.
    #[serde(default)]
    pub deletions: Vec<String>,
}

/// How notifications are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// As Standard Webhooks has it: the headers webhook-id, webhook-timestamp and webhook-signature, and a secret that
    /// begins with whsec_.
    Standard,
    /// By the HMAC-SHA256 of the body in a header. Nothing tells a replayed one from a new one.
    Hmac,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// As hexadecimal digits, in either case.
    Hex,
    /// In Base64.
    Base64,
}

/// One thing that is wrong with what is declared of webhooks, or with their secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhooksProblem {
    /// The key with its section, as `webhooks.header`.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub remedy: String,
}

/// How the CRM tells of changes, as meant: every value it can hold works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhooks {
    pub(super) signature: Signature,
    pub(super) tells: Tells,
    pub(super) id_at: Option<Path>,
}

/// Where a notification's signature stands, and over what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signature {
    /// As Standard Webhooks has it.
    Standard,
    /// Over the body alone.
    Hmac { header: HeaderName, encoding: Encoding, prefix: String },
}

/// What a notification tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tells {
    /// That something changed somewhere.
    OfEverything,
    /// That something changed in the collection which its type stands for.
    ByType { at: Path, types: Types, deletions: Vec<Pattern> },
}

/// Collections by types: whole ones, and the beginnings of others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Types {
    whole: BTreeMap<String, EntityName>,
    begin: BTreeMap<String, EntityName>,
}

/// Types that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    Is(String),
    Begins(String),
    Ends(String),
}

impl WebhooksDeclaration {
    /// What it means for a CRM with these collections. Fails with all problems at once.
    pub fn meant(&self, collections: &BTreeSet<EntityName>) -> Result<Webhooks, Vec<WebhooksProblem>> {
        let mut problems = Problems::default();
        let signature = self.signature(&mut problems);
        let tells = self.tells(collections, &mut problems);
        let id_at = self.id_at.as_deref().and_then(|text| path("id", text, &mut problems));
        match (signature, tells) {
            (Some(signature), Some(tells)) if problems.0.is_empty() => {
                Ok(Webhooks { signature, tells, id_at })
            }
            _ => Err(problems.0),
        }
    }

    fn signature(&self, problems: &mut Problems) -> Option<Signature> {
        match self.scheme {
            Scheme::Standard => {
                let of_hmac = [
                    ("header", self.header.is_some()),
                    ("encoding", self.encoding.is_some()),
                    ("prefix", self.prefix.is_some()),
                ];
                for (key, _) in of_hmac.into_iter().filter(|(_, is_written)| *is_written) {
                    let what = "says what Standard Webhooks lays down";
                    problems.add(key, what, "remove it, or write scheme = \"hmac\"");
                }
                Some(Signature::Standard)
            }
            Scheme::Hmac => {
                let header = self.header(problems);
                if self.encoding.is_none() {
                    let what = "is missing, and scheme = \"hmac\" needs it";
                    problems.add("encoding", what, "write encoding = \"hex\" or encoding = \"base64\"");
                }
                let prefix = self.prefix.clone().unwrap_or_default();
                if !prefix.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
                    problems.add("prefix", "is nothing that a header can hold", "write it as \"sha256=\"");
                }
                Some(Signature::Hmac { header: header?, encoding: self.encoding?, prefix })
            }
        }
    }

    fn header(&self, problems: &mut Problems) -> Option<HeaderName> {
        let remedy = "write the name of the header that holds the signature, as header = \"X-Signature\"";
        let Some(text) = &self.header else {
            problems.add("header", "is missing, and scheme = \"hmac\" needs it", remedy);
            return None;
        };
        let header = HeaderName::from_bytes(text.as_bytes()).ok();
        if header.is_none() {
            problems.add("header", "is no name of a header", remedy);
        }
        header
    }

    fn tells(&self, collections: &BTreeSet<EntityName>, problems: &mut Problems) -> Option<Tells> {
        let types = self.types(collections, problems);
        let deletions = self.deletions.iter().filter_map(|written| pattern(written, problems)).collect();
        let Some(text) = &self.type_at else {
            if !self.types.is_empty() {
                let what = "is missing, and there is a section [webhooks.types]";
                problems.add("type", what, "write where the body holds the type, as type = \"type\"");
            } else if !self.deletions.is_empty() {
                let what = "are told by types, and the key \"type\" is missing";
                problems.add("deletions", what, "write where the body holds the type, as type = \"type\"");
            }
            return Some(Tells::OfEverything);
        };
        if self.types.is_empty() {
            let remedy = "write which type tells of which collection, as \"customer.*\" = \"customers\", or remove type";
            problems.add("types", "is missing, so that no type tells of anything", remedy);
        }
        Some(Tells::ByType { at: path("type", text, problems)?, types, deletions })
    }

    fn types(&self, collections: &BTreeSet<EntityName>, problems: &mut Problems) -> Types {
        let mut types = Types::default();
        for (written, collection) in &self.types {
            let key = format!("types.\"{written}\"");
            let Some(collection) = collections.iter().find(|known| known.as_str() == collection) else {
                let known: Vec<_> = collections.iter().map(EntityName::as_str).collect();
                let what = format!("tells of {collection:?}, which is no collection of this CRM");
                problems.add(&key, what, format!("write one of {}", known.join(", ")));
                continue;
            };
            let (begin, whole) = (written.strip_suffix('*'), written.clone());
            let text = begin.unwrap_or(written);
            if written.is_empty() || text.contains('*') {
                problems.add(&key, "is no type", "write a whole type, or its beginning and one * at the end");
            } else if begin.is_some() {
                types.begin.insert(text.to_owned(), collection.clone());
            } else {
                types.whole.insert(whole, collection.clone());
            }
        }
        types
    }
}

impl Types {
    /// The collection that a type tells of: that of the longest one which fits.
    pub(super) fn collection(&self, of: &str) -> Option<&EntityName> {
        let begins = || self.begin.iter().filter(|(begin, _)| of.starts_with(begin.as_str()));
        let longest = || begins().max_by_key(|(begin, _)| begin.len()).map(|(_, collection)| collection);
        self.whole.get(of).or_else(longest)
    }
}

impl Pattern {
    /// Whether a type is one of them.
    pub(super) fn fits(&self, of: &str) -> bool {
        match self {
            Self::Is(whole) => of == whole,
            Self::Begins(begin) => of.starts_with(begin.as_str()),
            Self::Ends(end) => of.ends_with(end.as_str()),
        }
    }
}

fn path(key: &str, text: &str, problems: &mut Problems) -> Option<Path> {
    let path = Path::parse(text);
    if path.is_none() {
        problems.add(key, "is no path into the body", format!("write it as {key} = \"data.{key}\""));
    }
    path
}

fn pattern(written: &str, problems: &mut Problems) -> Option<Pattern> {
    let pattern = match (written.strip_prefix('*'), written.strip_suffix('*')) {
        (Some(end), None) => Pattern::Ends(end.to_owned()),
        (None, Some(begin)) => Pattern::Begins(begin.to_owned()),
        _ => Pattern::Is(written.to_owned()),
    };
    let (Pattern::Is(text) | Pattern::Begins(text) | Pattern::Ends(text)) = &pattern;
    if text.is_empty() || text.contains('*') {
        let remedy = "write a whole type, or its beginning or end and one * in the place of the rest";
        problems.add(&format!("deletions.\"{written}\""), "is no type", remedy);
        return None;
    }
    Some(pattern)
}

#[derive(Default)]
struct Problems(Vec<WebhooksProblem>);

impl Problems {
    fn add(&mut self, key: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(WebhooksProblem {
            key: format!("webhooks.{key}"),
            what: what.into(),
            remedy: remedy.into(),
        });
    }
}

impl fmt::Display for WebhooksProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.what, self.remedy)
    }
}
