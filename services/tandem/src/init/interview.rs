//! The questions, in their order, and what one look at the CRM proposes.

use std::fs;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use customcrm::{Proposal, Settings, look};
use telemetry::Chain;
use tokio::runtime::Builder;
use url::Url;

use super::InitError;
use super::draft::{Draft, Lines};
use super::terminal::Terminal;
use crate::arguments::InitOptions;
use crate::shipped::DECLARATIONS;

const SCHEMES: [&str; 6] = ["none", "bearer", "header", "basic", "client-credentials", "refresh-token"];
const STYLES: [&str; 6] = ["none", "cursor", "page", "offset", "link", "next"];
const ENTITIES: [&str; 5] = ["contacts", "products", "orders", "quotes", "users"];

/// A person who is asked.
pub(super) struct Interview<'a, R, W> {
    terminal: Terminal<R, W>,
    options: &'a InitOptions,
    url: Option<Url>,
    token_file: Option<PathBuf>,
    /// The name of the user, or the id of the client.
    user: String,
    /// Whether the CRM asks for a secret.
    has_secret: bool,
}

impl<'a, R: BufRead, W: Write> Interview<'a, R, W> {
    pub(super) fn new(terminal: Terminal<R, W>, options: &'a InitOptions) -> Self {
        let (url, token_file) = (options.url.clone(), options.token_file.clone());
        Self { terminal, options, url, token_file, user: String::new(), has_secret: true }
    }

    /// Asks what the CRM is like; gives the text of a declaration that can work.
    pub(super) fn declaration(&mut self) -> Result<String, InitError> {
        self.terminal.say("Which API is most like that of your CRM?")?;
        for (index, (name, _)) in DECLARATIONS.iter().enumerate() {
            self.terminal.say(&format!("  {}  {name}", index + 1))?;
        }
        let another = DECLARATIONS.len() + 1;
        self.terminal.say(&format!("  {another}  another one"))?;
        let choice = self.terminal.ask("Its number", "1", |answer| {
            let number = answer.parse().ok().filter(|number| (1..=another).contains(number));
            number.ok_or_else(|| format!("write a number from 1 to {another}"))
        })?;
        Ok(match DECLARATIONS.get(choice - 1) {
            Some((_, text)) => {
                self.has_secret = !text.contains("scheme = \"none\"");
                (*text).to_owned()
            }
            None => self.another()?.text(),
        })
    }

    /// Says what to do with it.
    pub(super) fn next_step(&mut self) -> Result<(), InitError> {
        let out = self.options.out.display();
        let url = self.url.as_ref().map_or("https://crm.example.com/api".to_owned(), ToString::to_string);
        let url = url.trim_end_matches('/');
        let mut keys = vec![format!("  url = \"{url}\""), format!("  declaration = \"{out}\"")];
        if !self.user.is_empty() {
            keys.push(format!("  user = \"{}\"", self.user));
        }
        if self.has_secret {
            let file =
                self.token_file.as_ref().map_or("crm-token".to_owned(), |file| file.display().to_string());
            keys.push(format!("  token_file = \"{file}\""));
        }
        self.terminal.say(&format!(
            "\n{out} is written. Name it in the configuration, where a connection's own file has [customcrm]:\n\n  \
             [connection.customcrm]\n{}\n\n\
             and hold the CRM against it, by reads alone:\n\n  tandem check --config tandem.toml",
            keys.join("\n")
        ))
    }

    /// Asks for the lines of a declaration.
    fn another(&mut self) -> Result<Draft, InitError> {
        let mut draft = Draft::new();
        self.line(&mut draft, "What the CRM is called", "CRM", |draft| &mut draft.crm)?;
        self.choose(&mut draft, "How a call says who calls", &SCHEMES, "bearer", |draft, answer| {
            draft.scheme = answer;
        })?;
        if draft.scheme == "header" {
            self.line(&mut draft, "The header with the secret", "X-Api-Key", |draft| &mut draft.header)?;
        }
        if draft.is_oauth() {
            let question = "Where tokens are had, below the address or whole";
            self.line(&mut draft, question, "oauth/token", |draft| &mut draft.token_path)?;
        }
        if draft.is_oauth() || draft.scheme == "basic" {
            self.user =
                self.terminal.ask("The name of the user, or the id of the client", "tandem", |answer| {
                    Ok(answer.to_owned())
                })?;
        }
        self.has_secret = draft.scheme != "none";
        self.put(
            &mut draft,
            "The path of the customers, below the address",
            "customers",
            |draft, answer| {
                draft.collections = vec![("customers", answer)];
            },
        )?;
        let seen = self.look(&draft)?;
        self.record(&mut draft, &seen)?;
        self.pages(&mut draft, &seen)?;
        self.changes(&mut draft)?;
        self.user(&mut draft, &seen)?;
        self.collections(&mut draft)?;
        Ok(draft)
    }

    /// Looks at the list of customers once, where an address is known. What can't be seen is said, and asked.
    fn look(&mut self, draft: &Draft) -> Result<Proposal, InitError> {
        if self.url.is_none() {
            let question = "The address of its API, to look at it once";
            self.url = self.terminal.ask(question, "", |answer| match answer {
                "" => Ok(None),
                answer => {
                    Url::parse(answer).map(Some).map_err(|error| format!("this is no address: {error}"))
                }
            })?;
        }
        let Some(url) = self.url.clone() else { return Ok(Proposal::default()) };
        if self.has_secret && self.token_file.is_none() {
            let question = "The file with the secret; without one nothing is looked at";
            self.token_file = self.terminal.ask(question, "", |answer| match answer {
                "" => Ok(None),
                file => fs::metadata(file).map(|_| Some(file.into())).map_err(|error| error.to_string()),
            })?;
        }
        let secret = match self.token_file.as_ref().filter(|_| self.has_secret) {
            Some(file) => fs::read_to_string(file)
                .map_err(|source| InitError::Secret { file: file.clone(), source })?
                .trim_end()
                .to_owned(),
            None if self.has_secret => return Ok(Proposal::default()),
            None => String::new(),
        };
        let user = (!self.user.is_empty()).then(|| self.user.clone());
        let settings = Settings { user, ..Settings::new(url, secret.into()) };
        let declaration = draft.declaration().map_err(InitError::Answers)?;
        let path = draft.collections.first().map(|(_, path)| path.clone()).unwrap_or_default();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(InitError::Process)?;
        match runtime.block_on(look(&settings, &declaration, &path)) {
            Ok(seen) => {
                let found = match (&seen.list, seen.records) {
                    (None, _) => {
                        "  Its answer has no list of records; check the address and the path.".to_owned()
                    }
                    (Some(_), 0) => "  Its list is empty, so that little can be proposed.".to_owned(),
                    (Some(_), count) => {
                        format!("  It answers, with {count} records; what they look like is proposed.")
                    }
                };
                self.terminal.say(&found)?;
                Ok(seen)
            }
            Err(error) => {
                self.terminal.say(&format!("  Nothing can be seen there: {}", Chain(&error)))?;
                Ok(Proposal::default())
            }
        }
    }

    fn record(&mut self, draft: &mut Draft, seen: &Proposal) -> Result<(), InitError> {
        let usual = |guess: &Option<String>| guess.clone().unwrap_or_default();
        let question = "Where the list stands in its answer, - where the answer is the list";
        self.line(draft, question, &usual(&seen.list), |draft| &mut draft.list)?;
        let id = seen.id.as_deref().unwrap_or("id");
        self.line(draft, "Where a record's id stands", id, |draft| &mut draft.id)?;
        let question = "Where it stands when a record was changed";
        self.line(draft, question, &usual(&seen.modified_at), |draft| &mut draft.modified_at)?;
        if !draft.modified_at.is_empty() {
            let question = "How times are written: rfc3339, epoch-seconds, epoch-milliseconds, or a pattern";
            let time = seen.time.as_deref().unwrap_or("rfc3339");
            self.line(draft, question, time, |draft| &mut draft.time)?;
        }
        let question = "Where a whole number stands that rises with each change";
        self.line(draft, question, &usual(&seen.version), |draft| &mut draft.version)?;
        let question = "What tells that a record is deleted";
        self.line(draft, question, &usual(&seen.deleted), |draft| &mut draft.deleted)
    }

    fn pages(&mut self, draft: &mut Draft, seen: &Proposal) -> Result<(), InitError> {
        let next = seen.next.clone();
        let style = seen.paging.unwrap_or("none");
        self.choose(draft, "How a list comes in parts", &STYLES, style, |draft, answer| {
            draft.parameter =
                if answer == "link" || answer == "next" { String::new() } else { answer.clone() };
            draft.next = next.clone().unwrap_or_else(|| "next".to_owned());
            draft.style = answer;
        })?;
        if draft.style == "none" {
            return Ok(());
        }
        if !draft.parameter.is_empty() {
            let usual = draft.parameter.clone();
            self.line(draft, "The parameter that asks for a page", &usual, |draft| &mut draft.parameter)?;
        }
        if matches!(draft.style.as_str(), "cursor" | "next") {
            let usual = draft.next.clone();
            let question = "Where an answer tells of the next page";
            self.line(draft, question, &usual, |draft| &mut draft.next)?;
        }
        let question = "The parameter that says how many records a page holds";
        self.line(draft, question, "limit", |draft| &mut draft.size_parameter)?;
        self.line(draft, "How many records a page holds at most", "100", |draft| &mut draft.size)
    }

    fn changes(&mut self, draft: &mut Draft) -> Result<(), InitError> {
        if !draft.modified_at.is_empty() {
            let question = "The parameter by which only what changed since a time is read";
            self.line(draft, question, "", |draft| &mut draft.incremental)?;
        }
        if !draft.incremental.is_empty() {
            let question = "What else is asked for then, such as the order, as in sort=updated&all=1";
            self.line(draft, question, "", |draft| &mut draft.incremental_query)?;
        }
        let question = "The parameter of a search, as in filter[{property}]";
        self.line(draft, question, "", |draft| &mut draft.search)
    }

    fn user(&mut self, draft: &mut Draft, seen: &Proposal) -> Result<(), InitError> {
        let question = "Where it stands who changed a record";
        let usual = seen.modified_by.clone().unwrap_or_default();
        self.line(draft, question, &usual, |draft| &mut draft.modified_by)?;
        if draft.modified_by.is_empty() {
            return Ok(());
        }
        let id = draft.id.clone();
        self.line(draft, "The path of the call that tells who calls", "", |draft| &mut draft.user_path)?;
        if draft.user_path.is_empty() {
            return Ok(());
        }
        self.line(draft, "Where the user's id stands in its answer", &id, |draft| &mut draft.user_id)
    }

    fn collections(&mut self, draft: &mut Draft) -> Result<(), InitError> {
        for entity in ENTITIES {
            let question = format!("The path of the {entity}, - where there are none");
            self.put(draft, &question, entity, |draft, answer| {
                if !answer.is_empty() {
                    draft.collections.push((entity, answer));
                }
            })?;
        }
        let has = |draft: &Draft, entity: &str| draft.collections.iter().any(|(name, _)| *name == entity);
        if has(draft, "orders") || has(draft, "quotes") {
            let property = self
                .terminal
                .ask("The property with a document's lines", "Lines", |answer| Ok(answer.to_owned()))?;
            if !property.is_empty() {
                self.put(draft, "A line's own id", "LineId", |draft, id| {
                    draft.lines = Some(Lines { property: property.clone(), id, removed: String::new() });
                })?;
                let question = "What marks a line that goes, - where the list is sent whole";
                self.put(draft, question, "", |draft, removed| {
                    draft.lines = draft.lines.take().map(|lines| Lines { removed, ..lines });
                })?;
            }
        }
        if has(draft, "users") {
            let question = "Where a user's e-mail address stands";
            self.line(draft, question, "email", |draft| &mut draft.email)?;
        }
        Ok(())
    }

    /// Asks for what stands in one place of the draft.
    fn line(
        &mut self,
        draft: &mut Draft,
        question: &str,
        usual: &str,
        place: impl Fn(&mut Draft) -> &mut String,
    ) -> Result<(), InitError> {
        self.put(draft, question, usual, |draft, answer| *place(draft) = answer)
    }

    /// Asks for a line until the draft can work with it.
    fn put(
        &mut self,
        draft: &mut Draft,
        question: &str,
        usual: &str,
        set: impl Fn(&mut Draft, String),
    ) -> Result<(), InitError> {
        let so_far = draft.clone();
        *draft = self.terminal.ask(question, usual, |answer| {
            let mut draft = so_far.clone();
            set(&mut draft, answer.to_owned());
            draft.declaration().map(|_| draft)
        })?;
        Ok(())
    }

    /// Asks for one of these words.
    fn choose(
        &mut self,
        draft: &mut Draft,
        question: &str,
        words: &[&str],
        usual: &str,
        set: impl Fn(&mut Draft, String),
    ) -> Result<(), InitError> {
        self.put(draft, &format!("{question}: {}", words.join(", ")), usual, set)
    }
}
