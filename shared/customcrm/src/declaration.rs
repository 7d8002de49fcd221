//! What a CRM's API is like: a declaration, which fits the connector to a CRM without code.
//!
//! `format` says what may be written, once, for the reader and for the JSON Schema that editors use. `read` makes of it
//! what is meant, in which nothing can't work, and tells everything that is wrong with a file at once.

mod format;
mod read;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use files::{FileProblem, Report};
use jiff::SignedDuration;
use model::{Content, UserId};
use serde_json::Value;

use self::format::File;
use crate::{Error, Webhooks, path::Path, template::Template, times::Times};

static SCHEMA: LazyLock<Value> = LazyLock::new(files::document::<File>);

/// The JSON Schema of a declaration, as text: for editors that complete and check TOML.
pub fn schema() -> String {
    format!("{:#}\n", *SCHEMA)
}

/// What a CRM's API is like. Everything in it can work.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// What the CRM is called, for messages.
    pub crm: String,
    /// How it tells of changes by itself; `None` where it does not.
    pub webhooks: Option<Webhooks>,
    pub(crate) authentication: Authentication,
    pub(crate) user: User,
    pub(crate) answer: Answer,
    pub(crate) paging: Paging,
    pub(crate) incremental: Option<Incremental>,
    pub(crate) search: Option<Search>,
    pub(crate) create: Create,
    pub(crate) update: Update,
    pub(crate) lock: Lock,
    pub(crate) errors: Errors,
    pub(crate) limits: Limits,
    pub(crate) collections: BTreeMap<String, Collection>,
}

/// How a call says who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authentication {
    None,
    /// The secret in this header, behind a prefix.
    Header {
        header: String,
        prefix: String,
    },
    Basic,
    OAuth {
        grant: OAuthGrant,
        token_path: String,
        in_body: bool,
        scope: Option<String>,
    },
}

/// What a token is had for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OAuthGrant {
    ClientCredentials,
    RefreshToken,
}

/// Who we are in the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum User {
    /// A call tells.
    Asked { path: String, id: Path },
    /// The declaration tells.
    Is(UserId),
    /// Nobody tells: our changes are known by what they hold.
    Unknown,
}

/// Where records stand in answers, and in what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    pub(crate) list: Option<Path>,
    pub(crate) record: Option<Path>,
    pub(crate) sent: Option<Path>,
    /// A record is looked up by a search for its id.
    pub(crate) is_searched: bool,
    /// What a record does not hold is empty.
    pub(crate) leaves_out_empty: bool,
}

/// What a record tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordKeys {
    pub(crate) id: Path,
    pub(crate) version: Option<Path>,
    pub(crate) modified_at: Option<Path>,
    pub(crate) times: Times,
    pub(crate) modified_by: Option<Path>,
    /// Where it stands that a record is deleted, and what stands there then.
    pub(crate) deleted: Option<(Path, Content)>,
}

/// How a list comes in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) style: PagingStyle,
    pub(crate) size: u32,
    pub(crate) size_parameter: Option<String>,
    pub(crate) query: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PagingStyle {
    None,
    Cursor { parameter: String, next: Path },
    Page { parameter: String, first: u64 },
    Offset { parameter: String },
    Link,
    Next { next: Path },
}

impl PagingStyle {
    /// Whether a page's place is a count of what comes before it, so that what moves in the list moves its borders.
    pub(crate) const fn is_counted(&self) -> bool {
        matches!(self, Self::Page { .. } | Self::Offset { .. })
    }
}

/// How only what changed is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incremental {
    pub(crate) parameter: String,
    pub(crate) value: Template,
    pub(crate) query: Vec<(String, String)>,
    /// Whether records come in the order of their changes.
    pub(crate) is_ordered: bool,
    pub(crate) overlap: SignedDuration,
    pub(crate) scan_every: SignedDuration,
}

/// How records are searched by what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) parameter: Template,
    pub(crate) value: Template,
    /// Other parameters, which are sent once.
    pub(crate) query: Vec<(String, Template)>,
    /// What stands between conditions in one parameter; `None`: only one is sent.
    pub(crate) join: Option<String>,
    pub(crate) escape: Option<String>,
}

/// How a record is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Create {
    /// PUT to an id of ours, instead of POST.
    pub(crate) is_put: bool,
    pub(crate) idempotency_header: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

/// How a record is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) method: UpdateMethod,
    pub(crate) content_type: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpdateMethod {
    MergePatch,
    JsonPatch,
    Put,
}

/// How a write is kept from writing over what somebody changed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    None,
    IfMatch,
    VersionProperty,
}

/// What refusals say, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Errors {
    pub(crate) message: Vec<Path>,
    pub(crate) properties: Option<Path>,
    pub(crate) property: Option<Path>,
    pub(crate) text: Option<Path>,
    pub(crate) duplicate: Option<Path>,
    pub(crate) duplicate_words: Vec<String>,
    pub(crate) statuses: BTreeMap<u16, Meaning>,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Transient,
    Throttled,
    Rejected,
    Gone,
    Stale,
    Auth,
    Duplicate,
}

/// What the API allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) parallel: usize,
    pub(crate) remaining_header: Option<String>,
    pub(crate) reset_header: Option<String>,
    /// Whether the reset is a moment since 1970 and not a number of seconds from now.
    pub(crate) reset_is_epoch: bool,
}

/// One collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collection {
    pub(crate) path: String,
    pub(crate) record: RecordKeys,
    pub(crate) query: Vec<(String, String)>,
    /// Whether what changed in it can be read alone.
    pub(crate) is_incremental: bool,
    pub(crate) shape: Shape,
    /// What is set on a record that goes; empty: it is deleted.
    pub(crate) archive: Vec<(Path, Content)>,
    pub(crate) lines: Option<Lines>,
    pub(crate) email: Option<Path>,
}

/// How properties are called and written in the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shape {
    /// By what the pair files call them.
    pub(crate) names: BTreeMap<String, Path>,
    /// Numbers that are written as texts, as the pair files call them.
    pub(crate) numbers_as_texts: Vec<String>,
    /// What is empty where it is left out, as the pair files call it.
    pub(crate) left_out: Vec<String>,
}

/// The lines of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) property: String,
    pub(crate) id: String,
    pub(crate) shape: Shape,
    pub(crate) style: LinesStyle,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinesStyle {
    /// Only what changes is sent; this property marks a line that goes.
    Patched { removed: String },
    /// The list is sent whole.
    Whole,
    /// Records of a collection of their own, which name their document there.
    Children { path: String, parent: Path },
}

impl Declaration {
    /// That of the default API.
    pub fn default_api() -> Self {
        let text = include_str!("../../../deploy/customcrm/default.toml");
        Self::parse("default.toml", text).expect("the declaration of the default API is tested")
    }

    /// The declaration that is written in a file, of which this is the path and the text; without one that of the
    /// default API.
    ///
    /// # Errors
    /// [`Error::Declaration`] with all that is wrong with the file.
    pub fn written(file: Option<(&std::path::Path, &str)>) -> Result<Self, Error> {
        let Some((path, text)) = file else { return Ok(Self::default_api()) };
        Self::parse(&path.display().to_string(), text).map_err(Error::Declaration)
    }

    /// Whether it says anything of this entity, as pair files call it.
    pub fn has(&self, entity: &str) -> bool {
        self.collections.contains_key(entity)
    }

    /// The same declaration for who keeps these properties of a collection, and these of its lines: where the CRM leaves out
    /// what is empty, they are empty when it does.
    #[must_use]
    pub fn keeping(mut self, entity: &str, properties: Vec<String>, of_lines: Vec<String>) -> Self {
        if self.answer.leaves_out_empty
            && let Some(collection) = self.collections.get_mut(entity)
        {
            collection.shape.left_out = properties;
            if let Some(lines) = &mut collection.lines {
                lines.shape.left_out = of_lines;
            }
        }
        self
    }

    /// Reads a declaration. `file` is its name for messages.
    ///
    /// # Errors
    /// All that is wrong with the file, at once and in the order of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<FileProblem>> {
        let mut report = Report::new(file, text);
        let read = read::declaration(&mut report);
        match (read, report.into_problems()) {
            (Some(declaration), problems) if problems.is_empty() => Ok(declaration),
            (_, problems) => Err(problems),
        }
    }
}

impl Collection {
    /// Whether the CRM tells a record's version by itself. Else versions are the moments of our reads.
    pub(crate) const fn tells_versions(&self) -> bool {
        // A document whose lines are elsewhere changes without its own version.
        let are_lines_elsewhere =
            matches!(&self.lines, Some(Lines { style: LinesStyle::Children { .. }, .. }));
        self.record.version.is_some() && !are_lines_elsewhere
    }
}
