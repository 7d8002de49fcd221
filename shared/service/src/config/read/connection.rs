//! The sections of connections.

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use mapping::Reading;
use model::{ConnectionName, RecordId, System};
use url::Url;
use uuid::{Uuid, fmt::Hyphenated};

use super::taken::Taken;
use super::{POLL_SECONDS, Reader, is_loopback, is_plain, seconds};
use crate::config::{DeclarationFile, consent_command, section::Section};
use crate::{
    CallbackConfig, ConnectionConfig, CustomCrmConfig, ExactOnlineConfig, LiteralConfig, WebhooksConfig,
};

/// What a GUID looks like.
const EXAMPLE: &str = "63824703-0000-0000-0000-000000000000";

impl Reader<'_> {
    /// All connections: those of the configuration itself, and behind them those of its folder.
    pub(super) fn connections(&self, root: &Section<'_>) -> Option<Vec<ConnectionConfig>> {
        let sections = root.sections("connection");
        let is_named = root.has("connection") || root.has("connections");
        if !is_named && (self.needs.customcrm || self.needs.exactonline) {
            let remedy = "add a section [[connection]] with a name, or name a folder with a file for each as connections";
            root.problem("connection", "is missing", remedy);
        }
        let mut taken = Taken::default();
        // Each is read, so that all problems are told, before the first failure ends it.
        let mut read: Vec<_> =
            sections.into_iter().map(|section| self.section_connection(section, &mut taken)).collect();
        match root.text("connections") {
            Some(folder) => read.extend(self.folder_connections(root, folder, &mut taken)),
            None if root.has("connections") => read.push(None),
            None => {}
        }
        read.into_iter().collect()
    }

    /// A connection that stands in the configuration itself.
    fn section_connection(&self, mut section: Section<'_>, taken: &mut Taken) -> Option<ConnectionConfig> {
        let name = section_name(&section);
        if let Some(name) = &name {
            section.rename(format!("connection.{name}"));
            if let Some(_other) = taken.name(name, section.file()) {
                section.problem("name", "is the name of another connection", "give each its own name");
            }
        }
        let sides = [("customcrm", self.needs.customcrm), ("exactonline", self.needs.exactonline)];
        for (side, needed) in sides {
            if needed && !section.has(side) {
                let what = format!("has no section for {side}");
                section.problem("name", what, format!("add [connection.{side}] below its [[connection]]"));
            }
        }
        self.connection(section, name, None, taken)
    }

    /// What a connection called `name` holds, wherever it stands: in a `file` of its own or in the configuration.
    pub(super) fn connection(
        &self,
        section: Section<'_>,
        name: Option<ConnectionName>,
        file: Option<PathBuf>,
        taken: &mut Taken,
    ) -> Option<ConnectionConfig> {
        let reading = reading(&section);
        let is_test = section.flag("test");
        let literal = section
            .section("literal")
            .map_or_else(|| (!section.has("literal")).then(LiteralConfig::default), literal);
        let customcrm = section.section("customcrm").map(|side| self.customcrm(side, taken));
        let command = name.as_ref().map(|name| consent_command(self.whole, name)).unwrap_or_default();
        let exactonline = section.section("exactonline").map(|side| self.exactonline(side, command, taken));
        section.finish();
        Some(ConnectionConfig {
            name: name?,
            file,
            reading: reading?,
            literal: literal?,
            is_test: is_test.unwrap_or(false),
            customcrm: side(customcrm, self.needs.customcrm)?,
            exactonline: side(exactonline, self.needs.exactonline)?,
        })
    }

    fn customcrm(&self, section: Section<'_>, taken: &mut Taken) -> Option<CustomCrmConfig> {
        let url = http_url(&section, "\"https://crm.example.com/api/v1\"", "the token");
        let declaration = self.declaration(&section);
        let token = self.token(&section);
        let user = section.text("user").map(str::to_owned);
        let client_secret = section
            .has("client_secret_file")
            .then(|| self.side_secret(&section, "client_secret_file", self.needs.customcrm));
        let poll_interval = seconds(&section, "poll_seconds", 2.0, POLL_SECONDS);
        let calls_per_minute = count(&section, "calls_per_minute", 600);
        let webhooks = match section.section("webhooks") {
            Some(hooks) => {
                let callback = self.callback(&hooks, System::CustomCrm, taken);
                hooks.finish();
                callback
            }
            None => (!section.has("webhooks")).then_some(None),
        };
        section.finish();
        let (token_file, token) = token?;
        let client_secret = match client_secret {
            None => None,
            Some(read) => read.map(|(file, secret)| Some((file, secret.into())))?,
        };
        Some(CustomCrmConfig {
            url: url?,
            declaration: declaration?,
            token: token.into(),
            token_file,
            user,
            client_secret,
            poll_interval: poll_interval?,
            webhooks: webhooks?,
            calls_per_minute: calls_per_minute?,
        })
    }

    #[expect(clippy::option_option, reason = "written or not, right or wrong")]
    fn declaration(&self, section: &Section<'_>) -> Option<Option<DeclarationFile>> {
        let key = "declaration";
        if !section.has(key) {
            return Some(None);
        }
        let path = self.folder.join(section.text(key)?);
        let remedy = "name the declaration that fits the connector to this CRM";
        if !self.needs.customcrm {
            return Some(Some(DeclarationFile { path, text: String::new() }));
        }
        if !path.is_file() {
            section.problem(key, "is no file", remedy);
            return None;
        }
        match fs::read_to_string(&path) {
            Ok(text) => Some(Some(DeclarationFile { path, text })),
            Err(error) => {
                section.problem(key, format!("cannot be read: {error}"), remedy);
                None
            }
        }
    }

    /// The secret that goes with every call. A CRM that is declared may ask for none.
    fn token(&self, section: &Section<'_>) -> Option<(Option<PathBuf>, String)> {
        if section.has("declaration") && !section.has("token_file") {
            return Some((None, String::new()));
        }
        let (file, token) = self.side_secret(section, "token_file", self.needs.customcrm)?;
        Some((Some(file), token))
    }

    fn exactonline(
        &self,
        section: Section<'_>,
        consent_command: String,
        taken: &mut Taken,
    ) -> Option<ExactOnlineConfig> {
        let url = http_url(&section, "\"https://start.exactonline.nl\"", "the token");
        let division = required_count(&section, "division", "123456, the number of the division");
        if let (Some(url), Some(division)) = (&url, division)
            && let Some(other) = taken.division(url, division, &section)
        {
            let what = format!("is the division of {other}");
            section.problem("division", what, "give each connection a division of its own");
        }
        let client_id = section.required_text("client_id", "\"...\", the id of your app at Exact");
        if client_id == Some("") {
            section.problem("client_id", "is empty", "write the id of your app at Exact");
        }
        let secret = self.side_secret(&section, "client_secret_file", self.needs.exactonline);
        let grant_file = self.grant_file(&section);
        if let Some(file) = &grant_file
            && let Some(other) = taken.grant_file(file, &section)
        {
            let what = format!("is the file of {other}, and each refresh token serves once");
            section.problem("grant_file", what, "give each connection a file of its own");
        }
        let redirect_uri = redirect_uri(&section);
        let default = ExactOnlineConfig::POLL_INTERVAL.as_secs_f64();
        let poll_interval = seconds(&section, "poll_seconds", default, POLL_SECONDS);
        let calls_per_minute = count(&section, "calls_per_minute", 60);
        let calls_per_day = count(&section, "calls_per_day", 5_000);
        let webhooks = match section.section("webhooks") {
            Some(hooks) => self.webhooks(hooks, taken),
            None => (!section.has("webhooks")).then_some(None),
        };
        section.finish();
        let (client_secret_file, client_secret) = secret?;
        Some(ExactOnlineConfig {
            url: url?,
            division: division?,
            client_id: client_id?.to_owned(),
            client_secret: client_secret.into(),
            client_secret_file,
            grant_file: grant_file?,
            redirect_uri: redirect_uri?,
            consent_command,
            poll_interval: poll_interval?,
            calls_per_minute: calls_per_minute?,
            calls_per_day: calls_per_day?,
            webhooks: webhooks?,
        })
    }

    /// Checked always; there only for a service that takes notifications in.
    #[expect(clippy::option_option, reason = "needed or not, right or wrong")]
    fn webhooks(&self, section: Section<'_>, taken: &mut Taken) -> Option<Option<WebhooksConfig>> {
        let callback = self.callback(&section, System::ExactOnline, taken);
        let default = WebhooksConfig::POLL_INTERVAL.as_secs_f64();
        let poll_interval = seconds(&section, "poll_seconds", default, POLL_SECONDS);
        section.finish();
        let (callback, poll_interval) = (callback?, poll_interval?);
        Some(callback.map(|callback| WebhooksConfig { callback, poll_interval }))
    }

    /// Where a system posts to. Checked always; there only for a service that takes its notifications in.
    #[expect(clippy::option_option, reason = "needed or not, right or wrong")]
    fn callback(
        &self,
        section: &Section<'_>,
        system: System,
        taken: &mut Taken,
    ) -> Option<Option<CallbackConfig>> {
        let (needed, url) = match system {
            System::CustomCrm => {
                let example = "\"https://sync.example.com/crm/acme\"";
                (self.needs.customcrm, http_url(section, example, "what is posted"))
            }
            System::ExactOnline => {
                let example = "\"https://sync.example.com/exact/acme\"";
                let url = public_url(section, "url", example, "and Exact Online posts to https:// only");
                (self.needs.exactonline, url)
            }
        };
        let needed = needed && self.needs.webhooks;
        if let Some(url) = &url
            && let Some(other) = taken.callback(url.path(), section)
        {
            let what = format!("has the path of {other}");
            section.problem("url", what, "give each connection and system a path of its own");
        }
        let secret = self.side_secret(section, "secret_file", needed);
        let (secret_file, secret) = secret?;
        let callback = CallbackConfig { url: url?, secret: secret.into(), secret_file };
        Some(needed.then_some(callback))
    }

    fn grant_file(&self, section: &Section<'_>) -> Option<PathBuf> {
        let example = "\"/var/lib/tandem/grant\", where the refresh token is kept";
        let path = self.folder.join(section.required_text("grant_file", example)?);
        if self.needs.exactonline && !path.parent().is_some_and(Path::is_dir) {
            section.problem("grant_file", "is in a folder that does not exist", "make the folder first");
            return None;
        }
        Some(path)
    }

    /// A secret of one side: not read when the service does not need that side, and may not even see the file.
    fn side_secret(
        &self,
        section: &Section<'_>,
        key: &'static str,
        needed: bool,
    ) -> Option<(PathBuf, String)> {
        section.required_text(key, "\"/run/secrets/...\", the file that holds the secret")?;
        if needed { self.secret(section, key) } else { Some((PathBuf::new(), String::new())) }
    }
}

/// A side as a service sees it: absent when it is not needed, and then only checked.
#[expect(clippy::option_option, reason = "written or not, right or wrong")]
fn side<T>(read: Option<Option<T>>, needed: bool) -> Option<Option<T>> {
    match read {
        None if needed => None,
        None => Some(None),
        Some(read) => read.map(|side| needed.then_some(side)),
    }
}

fn reading(section: &Section<'_>) -> Option<Reading> {
    let Some(text) = section.text("reading") else {
        return (!section.has("reading")).then_some(Reading::default());
    };
    let reading = Reading::from_name(text);
    if reading.is_none() {
        let names = Reading::ALL.map(|reading| format!("\"{reading}\"")).join(" or ");
        section.problem("reading", "is no reading of the pair files", format!("write {names}"));
    }
    reading
}

fn literal(section: Section<'_>) -> Option<LiteralConfig> {
    let account = guid(&section, "account");
    let item = guid(&section, "item");
    section.finish();
    Some(LiteralConfig { account: account?, item: item? })
}

/// The id of a record in Exact. They are GUIDs: a fact of its API.
#[expect(clippy::option_option, reason = "written or not, right or wrong")]
fn guid(section: &Section<'_>, key: &'static str) -> Option<Option<RecordId>> {
    if !section.has(key) {
        return Some(None);
    }
    let text = section.text(key)?;
    let guid = Uuid::try_parse(text).ok().filter(|guid| !guid.is_nil() && text.len() == Hyphenated::LENGTH);
    let record = guid.and_then(|guid| RecordId::parse(&guid.hyphenated().to_string()).ok());
    if record.is_none() {
        let remedy = format!("write the GUID of an {key} in Exact, as \"{EXAMPLE}\"");
        section.problem(key, "is no GUID", remedy);
    }
    record.map(Some)
}

fn section_name(section: &Section<'_>) -> Option<ConnectionName> {
    let text = section.required_text("name", "\"acme\", a name of your own for the connection")?;
    connection_name(text)
        .map_err(|what| section.problem("name", what, "write it as \"acme\" or \"acme-2\""))
        .ok()
}

/// The name of a connection, or what speaks against it.
pub(super) fn connection_name(text: &str) -> Result<ConnectionName, String> {
    match ConnectionName::parse(text) {
        Ok(name) if name.as_str() == store::GLOBAL => {
            Err("is the name of what belongs to no connection".to_owned())
        }
        Ok(name) => Ok(name),
        Err(error) => Err(error.to_string()),
    }
}

fn count(section: &Section<'_>, key: &'static str, default: u32) -> Option<NonZeroU32> {
    let number = if section.has(key) { section.whole(key)? } else { i64::from(default) };
    let count = i32::try_from(number).ok().and_then(|number| NonZeroU32::new(number.try_into().ok()?));
    if count.is_none() {
        section.problem(key, "is out of bounds", format!("write a number from 1 to {}", i32::MAX));
    }
    count
}

fn required_count(section: &Section<'_>, key: &'static str, example: &str) -> Option<NonZeroU32> {
    if section.has(key) {
        return count(section, key, 0);
    }
    section.problem(key, "is missing", format!("add {key} = {example}"));
    None
}

/// The address that Exact sends a person back to, kept as it is written: Exact compares it with the registered one. Its
/// App Center takes no address but one over HTTPS that is not this machine's: a fact of this API.
#[expect(clippy::option_option, reason = "written or not, right or wrong")]
fn redirect_uri(section: &Section<'_>) -> Option<Option<String>> {
    let key = "redirect_uri";
    if !section.has(key) {
        return Some(None);
    }
    let example = "\"https://sync.example.com/exact/consent\"";
    public_url(section, key, example, "and Exact Online takes https:// only")?;
    section.text(key).map(|text| Some(text.to_owned()))
}

/// An address that Exact uses: it takes nothing but HTTPS, and must find it from outside.
fn public_url(section: &Section<'_>, key: &'static str, example: &str, why_tls: &str) -> Option<Url> {
    let text = section.required_text(key, example)?;
    let remedy = format!("write it as {example}, an address of yours that the whole Internet can reach");
    match Url::parse(text) {
        Ok(url) if url.has_host() && !is_plain(&url) => {
            section.problem_with_secret(key, "holds credentials, a query or a fragment", remedy);
        }
        Ok(url) if url.scheme() == "http" => {
            section.problem(key, format!("is not over TLS, {why_tls}"), remedy);
        }
        Ok(url) if url.scheme() == "https" && is_loopback(&url) => {
            section.problem(key, "is on this machine, where Exact Online can't reach it", remedy);
        }
        Ok(url) if url.scheme() == "https" => return Some(url),
        _ => section.problem_with_secret(key, "is not a web address", remedy),
    }
    None
}

/// An address over TLS, unless it is on this machine: this would else be read on the way.
fn http_url(section: &Section<'_>, example: &str, this: &str) -> Option<Url> {
    let text = section.required_text("url", example)?;
    let remedy = format!("write it as {example}");
    match Url::parse(text) {
        Ok(url) if url.has_host() && !is_plain(&url) => {
            let what = "holds credentials, a query or a fragment";
            section.problem_with_secret("url", what, remedy);
        }
        Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) => {
            return Some(url);
        }
        Ok(url) if url.scheme() == "http" => {
            let remedy = "write https://; http:// is for this machine's own 127.0.0.1 and localhost";
            section.problem("url", format!("would send {this} in the clear"), remedy);
        }
        _ => section.problem_with_secret("url", "is not a web address", remedy),
    }
    None
}
