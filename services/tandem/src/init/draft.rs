//! A declaration that grows answer by answer, and its text. Pure.

use std::fmt::Write as _;

use customcrm::Declaration;

const HEAD: &str = "\
#:schema customcrm.schema.json
# A first declaration, made by `tandem init customcrm`: what the API of this CRM is like.
#
# `tandem schema customcrm > customcrm.schema.json` prints what explains each key, for editors that complete it, and
# `tandem check --config tandem.toml` holds the CRM against it, line by line and by reads alone.
";

const UPDATE: &str = "\
# How a record is changed; \"json-patch\" and \"put\" are the others.
[update]
method = \"merge-patch\"
content_type = \"application/json\"";

const COLLECTIONS: &str = "\
# The collections, by what the pair files call them. `names` says what a property is called here where the pair files call
# it otherwise, as in names = { Name = \"company_name\" }.
";

/// What is known of an API so far. An empty text stands for what it does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) crm: String,
    pub(super) scheme: String,
    pub(super) header: String,
    pub(super) token_path: String,
    pub(super) user_path: String,
    pub(super) user_id: String,
    pub(super) list: String,
    pub(super) id: String,
    pub(super) version: String,
    pub(super) modified_at: String,
    pub(super) time: String,
    pub(super) modified_by: String,
    pub(super) deleted: String,
    pub(super) style: String,
    pub(super) parameter: String,
    pub(super) next: String,
    pub(super) size_parameter: String,
    pub(super) size: String,
    pub(super) incremental: String,
    /// Parameters, as in `sort=updated&all=1`.
    pub(super) incremental_query: String,
    pub(super) search: String,
    /// Entities and their paths.
    pub(super) collections: Vec<(&'static str, String)>,
    pub(super) lines: Option<Lines>,
    pub(super) email: String,
}

/// Where the lines of documents stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) property: String,
    pub(super) id: String,
    /// What marks a line that goes; empty where the list is sent whole.
    pub(super) removed: String,
}

impl Draft {
    /// That of the plainest API.
    pub(super) fn new() -> Self {
        let text = str::to_owned;
        Self {
            crm: text("CRM"),
            scheme: text("none"),
            header: text("X-Api-Key"),
            token_path: text("oauth/token"),
            user_path: String::new(),
            user_id: text("id"),
            list: String::new(),
            id: text("id"),
            version: String::new(),
            modified_at: String::new(),
            time: text("rfc3339"),
            modified_by: String::new(),
            deleted: String::new(),
            style: text("none"),
            parameter: String::new(),
            next: String::new(),
            size_parameter: String::new(),
            size: text("100"),
            incremental: String::new(),
            incremental_query: String::new(),
            search: String::new(),
            collections: vec![("customers", text("customers"))],
            lines: None,
            email: text("email"),
        }
    }

    pub(super) fn is_oauth(&self) -> bool {
        matches!(self.scheme.as_str(), "client-credentials" | "refresh-token")
    }

    /// The declaration; or all that is wrong with it, one a line.
    pub(super) fn declaration(&self) -> Result<Declaration, String> {
        Declaration::parse("declaration", &self.text())
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let sections = [
            self.head(),
            self.authentication(),
            self.who(),
            self.record(),
            self.pages(),
            self.changes(),
            self.search(),
            UPDATE.to_owned(),
            self.collections(),
        ];
        let sections: Vec<&str> = sections.iter().map(|section| section.trim_end()).collect();
        sections.join("\n\n") + "\n"
    }

    fn head(&self) -> String {
        let lock = if self.version.is_empty() {
            "# Without versions a record is read and compared right before it is written."
        } else {
            "# Where a write heeds the version that it was meant for, \"if-match\" or \"version-property\"."
        };
        let crm = key("crm", &self.crm);
        format!("{HEAD}\n{crm}\n{lock}\nlock = \"none\"")
    }

    fn authentication(&self) -> String {
        let secret = if self.scheme == "none" {
            "# The CRM asks for no secret."
        } else {
            "# The secret stands in the file that the connection names as token_file."
        };
        let mut lines = vec![secret.to_owned(), "[authentication]".to_owned(), key("scheme", &self.scheme)];
        if self.scheme == "header" {
            lines.push(key("header", &self.header));
        }
        if self.is_oauth() {
            lines.push(key("token_path", &self.token_path));
        }
        lines.join("\n")
    }

    /// Who we are, and where records stand.
    fn who(&self) -> String {
        let mut text = if self.user_path.is_empty() {
            "# Our own changes are known by what they hold: no call tells who we are.".to_owned()
        } else {
            let (path, id) = (key("path", &self.user_path), key("id", &self.user_id));
            format!("# Our own changes are known by this user.\n[user]\n{path}\n{id}")
        };
        if !self.list.is_empty() {
            text.push_str("\n\n# Where the records stand in the answer of a list.\n[answer]\n");
            text.push_str(&key("list", &self.list));
        }
        text
    }

    fn record(&self) -> String {
        let time = if self.modified_at.is_empty() || self.time == "rfc3339" { "" } else { &self.time };
        let keys = [
            ("id", self.id.as_str()),
            ("version", &self.version),
            ("modified_at", &self.modified_at),
            ("time", time),
            ("modified_by", &self.modified_by),
            ("deleted", &self.deleted),
        ];
        // An id is asked for even where it is empty, so that this is refused.
        let keys = keys.iter().filter(|(name, path)| *name == "id" || !path.is_empty());
        let keys: Vec<String> = keys.map(|(name, path)| key(name, path)).collect();
        format!("# What each record tells of itself.\n[record]\n{}", keys.join("\n"))
    }

    fn pages(&self) -> String {
        let mut lines = vec!["# How a list comes in parts.\n[paging]".to_owned(), key("style", &self.style)];
        if matches!(self.style.as_str(), "cursor" | "page" | "offset") {
            lines.push(key("parameter", &self.parameter));
        }
        if matches!(self.style.as_str(), "cursor" | "next") {
            lines.push(key("next", &self.next));
        }
        if self.style != "none" && !self.size_parameter.is_empty() {
            lines.push(key("size_parameter", &self.size_parameter));
        }
        lines.push(format!("size = {}", self.size));
        lines.join("\n")
    }

    fn changes(&self) -> String {
        if self.incremental.is_empty() {
            return "# Everything is read at each poll, and compared. Where the CRM can be asked for what changed, add [incremental]."
                .to_owned();
        }
        let parameter = key("parameter", &self.incremental);
        let mut text = format!(
            "# How only what changed is read: in the order of its changes, oldest first.\n[incremental]\n{parameter}"
        );
        if !self.incremental_query.is_empty() {
            let query = queried(&self.incremental_query);
            write!(text, "\nquery = {{ {query} }}").expect("writing to a text never fails");
        }
        text
    }

    fn search(&self) -> String {
        if self.search.is_empty() {
            return "# A search reads the whole collection. Where the CRM can search, add [search]."
                .to_owned();
        }
        let mut lines = vec![
            "# How records are searched by what they hold.\n[search]".to_owned(),
            key("parameter", &self.search),
        ];
        if !self.search.contains("{property}") {
            lines.push(key("value", "{property}={value}"));
        }
        lines.join("\n")
    }

    fn collections(&self) -> String {
        let mut text = COLLECTIONS.to_owned();
        for (entity, path) in &self.collections {
            let mut lines = vec![format!("\n[collections.{entity}]"), key("path", path)];
            if self.id != "Id" && !self.id.contains('.') {
                lines.push(format!("names = {{ Id = {} }}", quoted(&self.id)));
            }
            let is_document = matches!(*entity, "orders" | "quotes");
            lines.extend(self.lines.as_ref().filter(|_| is_document).map(Lines::text));
            if *entity == "users" {
                lines.push(key("email", &self.email));
            }
            text.push_str(&lines.join("\n"));
            text.push('\n');
        }
        text
    }
}

impl Lines {
    fn text(&self) -> String {
        let style = if self.removed.is_empty() { "whole" } else { "patched" };
        let mut text = format!(
            "lines = {{ style = \"{style}\", property = {}, id = {}",
            quoted(&self.property),
            quoted(&self.id)
        );
        if !self.removed.is_empty() {
            write!(text, ", removed = {}", quoted(&self.removed)).expect("writing to a text never fails");
        }
        text + " }"
    }
}

fn key(name: &str, value: &str) -> String {
    format!("{name} = {}", quoted(value))
}

/// A text as TOML has it, which is as JSON has it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn queried(query: &str) -> String {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect::<Vec<_>>().join(", ")
}
