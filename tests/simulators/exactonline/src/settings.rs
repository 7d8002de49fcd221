//! What a simulator can be started with and changed to while it runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::answer::Language;

/// How a simulator is started. The default binds free ports of 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where the control API listens; it knows no authentication.
    pub control: SocketAddr,
    /// The company that the API user works in.
    pub division: i32,
    /// Further companies within the scope of the app.
    pub further_divisions: Vec<i32>,
    /// The OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The redirect address that is registered with it: over HTTPS, and never `localhost`.
    pub redirect_uri: String,
    /// What notifications of webhooks are signed with.
    pub webhook_secret: String,
    /// The user who consented to the app. Its writes carry this user's id in `Modifier`.
    pub api_user: Person,
    /// The people who work in the service itself. There must be at least one.
    pub humans: Vec<Person>,
    /// Where the clock starts; `None` is now.
    pub start_at: Option<Timestamp>,
    /// Whether the clock stands still between the moves that the control API makes.
    pub frozen_clock: bool,
    /// How many times as fast as the machine's the clock runs, where it does not stand still: at 60, a token of ten
    /// minutes lives ten seconds.
    pub clock_speed: u16,
    /// The distance of the server's wall clock from UTC in seconds. `None` is Dutch time: one hour, two in summer.
    pub server_utc_offset: Option<i32>,
    /// The limits at the start.
    pub limits: Limits,
    /// The switches at the start.
    pub switches: Switches,
}

impl Default for Settings {
    fn default() -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any_port,
            control: any_port,
            division: 499_156,
            further_divisions: Vec::new(),
            client_id: "0f8fad5b-d9cb-469f-a165-70867728950e".to_owned(),
            client_secret: "simulator-secret".to_owned(),
            redirect_uri: "https://app.example/back".to_owned(),
            webhook_secret: "simulator-webhook-secret".to_owned(),
            api_user: Person::new("Connector", "connector@example.com"),
            humans: vec![
                Person::new("Bea Boekhouder", "bea@example.com"),
                Person::new("Sem Verkoper", "sem@example.com"),
            ],
            start_at: None,
            frozen_clock: false,
            clock_speed: 1,
            server_utc_offset: None,
            limits: Limits::default(),
            switches: Switches::default(),
        }
    }
}

/// A user of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The user's id.
    pub id: Uuid,
    /// Name as shown.
    pub full_name: String,
    /// E-mail address; also the login name.
    pub email: String,
}

impl Person {
    /// A user with a fresh id.
    pub fn new(full_name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { id: ambient::new_random_id(), full_name: full_name.into(), email: email.into() }
    }
}

/// How often and how much may be asked. The defaults are those that the service documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Calls per clock minute, app and division.
    pub per_minute: u32,
    /// Calls per day (UTC), app and division.
    pub per_day: u32,
    /// Errors 400, 401, 403 and 404 per hour, user, division and endpoint, after which it is blocked for an hour, and
    /// longer each time that this happens again.
    pub errors_per_hour: u32,
    /// Calls of the token endpoint per day (UTC), app and user.
    pub token_calls_per_day: u32,
    /// Seconds after which a refresh is accepted, counted from the previous token.
    pub refresh_not_before_seconds: u32,
    /// Life of an access token in seconds.
    pub access_token_seconds: u32,
    /// Life of a refresh token in days.
    pub refresh_token_days: u32,
    /// Records on a page of a regular endpoint.
    pub page_size: usize,
    /// Records on a page of a bulk or sync endpoint.
    pub large_page_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_minute: 60,
            per_day: 5_000,
            errors_per_hour: 10,
            token_calls_per_day: 200,
            refresh_not_before_seconds: 570,
            access_token_seconds: 600,
            refresh_token_days: 30,
            page_size: 60,
            large_page_size: 1_000,
        }
    }
}

/// Behaviour that differs between companies or that nobody documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// The language of error texts.
    pub language: Language,
    /// Regular lists need `$select` or `$top=1`.
    pub select_required: bool,
    /// Lists of accounts need a filter on one of the marked properties.
    pub filter_required: bool,
    /// Int64 values travel as text, as OData version 2 has it, instead of as numbers.
    pub int64_as_string: bool,
    /// Slashes in texts are escaped, as the service was seen to do.
    pub escape_slashes: bool,
    /// Endpoints (`crm/Accounts`; `*` for all) for which the user lacks the right: a read gives an empty list.
    pub missing_rights: Vec<String>,
    /// Companies that were taken out of the app's scope.
    pub divisions_out_of_scope: Vec<i32>,
    /// Status of the block after too many errors. Not documented.
    pub error_block_status: u16,
    /// The block says "API rate limit exceeded", as one vendor's screen shows; else its body is empty. Not documented.
    pub error_block_told: bool,
    /// Errors are counted in an hour of the clock instead of in the last sixty minutes. Not documented.
    pub errors_by_clock_hour: bool,
    /// A call to a blocked endpoint makes the block last an hour from that call on, at least. Documented is only that a
    /// block grows when it goes on.
    pub blocked_calls_prolong: bool,
    /// A refusal for a limit tells of that limit in its headers. An older report has none at all.
    pub refusals_tell: bool,
    /// The token endpoint takes the client's credentials by HTTP Basic too, as OAuth asks of every server. Documented
    /// and seen is only that they are in the form.
    pub basic_credentials: bool,
    /// A refresh voids the access token before it at once. One client claims this; not documented.
    pub single_access_token: bool,
    /// Filters compare text without case, as the default collation of the database below would. Not documented.
    pub ignore_case: bool,
    /// An empty text is stored as null. Not documented.
    pub empty_text_is_null: bool,
    /// Milliseconds until a change shows in the sync feeds. Not documented.
    pub sync_lag_milliseconds: i64,
    /// The row versions of a company that has moved, or was linked to Exact HR, begin anew, so that most are below those
    /// before; off, they are above. Documented is that they are regenerated, and no more.
    pub lower_versions_after_a_move: bool,
    /// A change of a document that names its lines leaves them as they are, instead of being refused. Not documented.
    pub nested_lines_ignored: bool,
    /// The last line of a document may be deleted. Not documented; a create without any is refused.
    pub last_line_deletable: bool,
    /// A new, changed or deleted line gives its header a new row version too, because the header's stored totals
    /// change. Off, totals are derived when they are read: the feed of headers shows the new ones only after the
    /// header's own next change. The service documents that the two feeds are independent, and no more.
    pub line_changes_touch_header: bool,
    /// A new quotation has the status 20 (draft) instead of 25 (open). Not documented.
    pub quotations_start_as_drafts: bool,
    /// Quotations are made for accounts that are no customers, too. Not documented; orders are not.
    pub prospects_are_quoted: bool,
    /// Webhooks may be received on this machine, and there without TLS.
    pub webhooks_on_loopback: bool,
    /// Milliseconds of the real clock until a change is told. Minutes were seen.
    pub webhooks_after_milliseconds: u64,
    /// Milliseconds of the real clock that stand for each minute until a notification is repeated that was not taken.
    pub webhooks_minute_milliseconds: u64,
    /// No change is told, as in an outage.
    pub webhooks_lost: bool,
    /// Each change is told twice.
    pub webhooks_doubled: bool,
    /// Of two changes the second is told first.
    pub webhooks_reordered: bool,
    /// A new record is told as an update of one.
    pub webhooks_tell_creates_as_updates: bool,
    /// Notifications do not tell when the change was made.
    pub webhooks_without_time: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            language: Language::En,
            select_required: true,
            filter_required: true,
            int64_as_string: false,
            escape_slashes: false,
            missing_rights: Vec::new(),
            divisions_out_of_scope: Vec::new(),
            error_block_status: 403,
            error_block_told: true,
            errors_by_clock_hour: false,
            blocked_calls_prolong: false,
            refusals_tell: true,
            basic_credentials: false,
            single_access_token: false,
            ignore_case: false,
            empty_text_is_null: true,
            sync_lag_milliseconds: 0,
            lower_versions_after_a_move: true,
            nested_lines_ignored: false,
            last_line_deletable: false,
            line_changes_touch_header: false,
            quotations_start_as_drafts: false,
            prospects_are_quoted: false,
            webhooks_on_loopback: false,
            webhooks_after_milliseconds: 500,
            webhooks_minute_milliseconds: 60_000,
            webhooks_lost: false,
            webhooks_doubled: false,
            webhooks_reordered: false,
            webhooks_tell_creates_as_updates: false,
            webhooks_without_time: false,
        }
    }
}

impl Switches {
    /// Whether the user has the right to this endpoint.
    pub(crate) fn has_right(&self, path: &str) -> bool {
        !self.missing_rights.iter().any(|missing| missing == "*" || missing.eq_ignore_ascii_case(path))
    }
}

/// How the service changes the texts of a property when it stores them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rendition {
    /// Blanks at both ends are dropped.
    Trim,
    /// Letters become capitals.
    Upper,
    /// Letters become small.
    Lower,
}

impl Rendition {
    /// The text as it is stored.
    pub(crate) fn apply(self, text: &str) -> String {
        match self {
            Self::Trim => text.trim().to_owned(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
        }
    }
}

/// Renditions by the name of the property.
pub(crate) type Renditions = BTreeMap<String, Rendition>;
