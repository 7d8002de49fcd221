//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use mapping::Reading;
use model::{ConnectionName, PairName};
use url::Url;

const TEACHING: &str = r#"Begin with the demo. It needs no server and no account, and touches nothing outside its process:

  tandem demo                     until Ctrl-C
  tandem demo --for 15s           ends by itself; exit code 0 only if both sides agree
  tandem demo --data my-exports   with your own customers.csv, accounts.csv and users.csv

Then write a configuration, let it be checked, and run it; a CRM of another API gets a declaration:

  tandem init customcrm --url https://crm.example.com/api --token-file crm-token
  tandem check --pairs pairs
  tandem dataflow --pairs pairs --format html > dataflow.html
  tandem run --config tandem.toml --print-config
  tandem check --config tandem.toml
  tandem auth exactonline --config tandem.toml
  tandem run --config tandem.toml

A small configuration; relative paths in it start at its own folder:

  pairs = "pairs"                    # the folder with the pair files

  [[connection]]
  name = "acme"

  [connection.customcrm]
  url = "https://crm.example.com/api/v1"
  token_file = "/run/secrets/crm-token"

  [connection.exactonline]
  url = "https://start.exactonline.nl"   # or .be, .de, .fr, .es, .co.uk, .com: the site of your country
  division = 123456
  client_id = "..."
  client_secret_file = "/run/secrets/exact-secret"
  redirect_uri = "https://sync.example.com/exact/consent"   # as it is registered with the app
  grant_file = "grant.json"          # made by `tandem auth`; rewritten at each refresh

Further connections may have a file each in a folder: connections = "connections" at the top reads
connections/acme.toml as the connection acme, with sections [customcrm] and [exactonline].

Without [broker] and [store] everything is within the process, and links are kept in
tandem.redb beside the configuration. To share the work with other processes, name a RabbitMQ
in [broker] and a Redis in [store].

Exit codes: 0 after a clean stop; 1 after a failure, or when the demo's sides do not agree;
64 when the command line, the configuration or the demo's data cannot be used: then every
problem is told at once."#;

const RUN_TEACHING: &str = r"Runs the two collectors, the mapper and the two writers in one process. When one fails for
good, all end, and the exit code is 1.

SIGTERM or Ctrl-C asks for a clean stop within shutdown.grace_seconds; a second signal ends the
process at once. SIGHUP reads the configuration anew: connections that were added, changed or taken
away are started, restarted or ended, and the others go on. Health is on health.listen: /health/live, /health/ready, /metrics.";

const AUTH_TEACHING: &str = r#"Prints an address of Exact Online. Open it in a browser, log in as the user that Tandem works as,
and agree; Exact then sends you to the app's redirect URI, with a code in the address. Paste that
address, and Tandem exchanges the code, keeps the tokens in the connection's grant_file and in the
store, and shows the user and the divisions. Services that run take the grant up by themselves, so
this is also how a lost grant is repaired.

[connection.exactonline] must name redirect_uri, the one that is registered with the app. Where it
leads to this machine, a section of its own lets the redirect come in by itself:

  [auth]
  listen = "127.0.0.1:8082"

Run it where the services find grant_file, and consent as the same user as before: Tandem knows its
own changes by their user. After a change of the user restart the services.

Exit codes: 0 when the grant serves for the configured division; 1 when it does not, or when there
is no grant; 64 when the command line or the configuration cannot be used."#;

const CHECK_TEACHING: &str = r"Reads every pair file of the folder and tells, per pair, what it keeps; or, with exit code 64,
everything that can't work: its file, line and column, and what to write instead. What Exact's
reference says of each property is known here, so nothing is called.

--config FILE checks the pair files of a configuration so, and then calls each connection's CRM to
hold it against its declaration, line by line: the list, the id, the times, the pages, what changed
since a time, a search, the lines of documents. It reads and never writes. What a line came to:

  ok       the CRM is as the line says
  -        no read shows it, or there is no record yet that would
  look     it may be right: read what is told
  wrong    the CRM is otherwise, and what is told says what to write

Names of properties are shown, and no value that a record holds.

Exit codes: 0 when nothing is wrong; 1 when something is; 64 when a pair file, the configuration or
a declaration can't work.";

const INIT_TEACHING: &str = r"Asks a few questions and writes a first declaration of a CRM: what its API is like, so that Tandem
fits it without code. Where the API is like one that Tandem knows, that declaration is written; else
each answer becomes a line of it. With --url, and --token-file where the CRM asks for a secret, the
list of customers is read once, and what it looks like is proposed. Nothing is written to the CRM.

Each question shows its usual answer in brackets: Enter takes it, and - stands for none. Where
standard input is no terminal, answers are its lines, and at its end the usual ones are taken.

The file is never written over one that exists. Hold it against the CRM then:

  tandem check --config tandem.toml

Exit codes: 0 when the file is written; 1 after a failure; 64 when the command line can't be used.";

const DATAFLOW_TEACHING: &str = r"Prints what the pair files say, as a page for people: a section for each pair with what is
synchronised, who creates, and a table of its properties with their type in Exact, direction and
transform. Without --pairs, it prints the pair files that ship with this program.";

const CHECKLIST_TEACHING: &str = r"Runs all services and two simulated systems within the process, makes records for every pair, and
then checks every row of every pair: it edits one side as a person would, waits for the other side,
compares, and undoes the edit. A row that flows one way is also checked not to flow the other way.

--config FILE does the same with real systems: it makes and changes records there, and therefore
refuses a configuration with any connection that does not say `test = true`. Its broker and store
are not used; no other Tandem should work on these systems meanwhile.

Exit codes: 0 when every row is green, 1 when one is not.";

const SCHEMA_TEACHING: &str = r#"Prints the JSON Schema of the pair files, or of the declarations of CustomCRM. An editor that knows
TOML completes a file which names it in its first line:

  tandem schema pairs > pairs/pair.schema.json
  tandem schema customcrm > customcrm/customcrm.schema.json

  #:schema pair.schema.json
  pair = "customer-account"

Of the queues it prints an AsyncAPI document: every exchange and queue with what it is declared
with, every message with its schema, and who sends and takes which."#;

const DEAD_LETTERS_TEACHING: &str = r"A message that no service can handle, or that came back unsettled too often, is set aside as a dead
letter, and what comes behind it goes on. Look at the reason first; then replay what would go well
now, for instance after an upgrade or once a connection is configured again, and discard the rest:

  tandem dead-letters list
  tandem dead-letters show 01a21fe6-97ef-76dd-a9e6-938e7d28ded4
  tandem dead-letters replay 01a21fe6-97ef-76dd-a9e6-938e7d28ded4
  tandem dead-letters replay --from tandem.pair.customer-account
  tandem dead-letters discard --all --yes

To replay a message twice does no harm: each says what was seen or what became of a write, and not
what is to be done. Discarding loses what nobody else knows: of a record that was seen, the next
edit or full read tells again; of the outcome of a write, nothing does, but the write is looked
after by itself within minutes.

Nothing that a record holds is shown, except by show --content: that may be people's names and
addresses, so mind where you print it. At most 10,000 are looked at; those that lie behind come up
when these are gone. For the moment of the look nobody else sees them.

Exit codes: 0 when it is done; 1 when a message stayed, an id is unknown, or after a failure; 64
when the command line or the configuration can't be used.";

const DEMO_TEACHING: &str = r"Starts a simulated CustomCRM and a simulated Exact Online, fills both from a book of companies,
runs all services on the broker and the store within the process, and lets a scripted human
edit both sides. At the end it compares both sides property by property.

--data DIR takes three files, comma separated with a header, UTF-8, in the columns of the
built-in book:

  users.csv      System,FirstName,LastName,Email       System is customcrm or exactonline
  customers.csv  CustomerNumber,Name,...,Owner,Parent  one line per customer of CustomCRM
  accounts.csv   Code,Name,...,AccountManager,Parent   one line per account of Exact Online

Owner and AccountManager are a user's e-mail address; Parent is the CustomerNumber or Code of
another line. A column may be left out, except Name, and System and Email of users.csv.";

/// Keeps CustomCRM and Exact Online in agreement, whichever side is edited.
#[derive(Debug, Parser)]
#[command(
    name = "tandem",
    version,
    after_long_help = TEACHING,
    after_help = "--help shows examples and a small configuration",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all services in this process
    #[command(after_long_help = RUN_TEACHING)]
    Run {
        /// The configuration file
        #[arg(long, value_name = "FILE", env = "TANDEM_CONFIG", default_value = "tandem.toml")]
        config: PathBuf,
        /// Print the configuration as it is understood, without its secrets, and exit
        #[arg(long)]
        print_config: bool,
    },
    /// Give it consent at Exact Online, for the first time or anew
    #[command(after_long_help = AUTH_TEACHING)]
    Auth(AuthOptions),
    /// Show it at work on simulated systems, without any server
    #[command(after_long_help = DEMO_TEACHING)]
    Demo(DemoOptions),
    /// Check the pair files and, with a configuration, each CRM against its declaration
    #[command(after_long_help = CHECK_TEACHING)]
    Check(CheckOptions),
    /// Ask a few questions and write a first declaration of a CRM
    #[command(after_long_help = INIT_TEACHING)]
    Init(InitOptions),
    /// Check the dataflow document row by row against two systems
    #[command(after_long_help = CHECKLIST_TEACHING)]
    Checklist(ChecklistOptions),
    /// Print the dataflow document: what the pair files say, for people
    #[command(after_long_help = DATAFLOW_TEACHING)]
    Dataflow(DataflowOptions),
    /// Look at the messages that were set aside, replay or discard them
    #[command(after_long_help = DEAD_LETTERS_TEACHING)]
    DeadLetters(DeadLettersOptions),
    /// Print the schema of a file that people write, or of what travels on the queues
    #[command(after_long_help = SCHEMA_TEACHING)]
    Schema {
        /// Of which file
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// Print the version
    Version,
}

/// What is checked.
#[derive(Debug, Clone, Args)]
pub(crate) struct CheckOptions {
    /// The folder with the pair files
    #[arg(long, value_name = "DIR", default_value = "pairs")]
    pub(crate) pairs: PathBuf,
    /// Which reading of the pairs is told; both are checked
    #[arg(long, value_enum, default_value_t = ReadingChoice::Practical)]
    pub(crate) reading: ReadingChoice,
    /// The pair files of this configuration, and the CRM of each of its connections
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pairs", "reading"])]
    pub(crate) config: Option<PathBuf>,
    /// Only this one of the configuration's connections
    #[arg(long, value_name = "NAME", requires = "config", value_parser = connection_name)]
    pub(crate) connection: Option<ConnectionName>,
}

/// What is done with dead letters.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeadLettersOptions {
    #[command(subcommand)]
    pub(crate) act: LettersAct,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "TANDEM_CONFIG", default_value = "tandem.toml")]
    pub(crate) config: PathBuf,
    /// How it is printed
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// What is done with dead letters.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum LettersAct {
    /// List them, the oldest first
    List {
        /// Only those that were set aside from this queue
        #[arg(long, value_name = "QUEUE")]
        from: Option<String>,
    },
    /// Show one of them
    Show {
        /// Its id
        id: String,
        /// All that it holds, also what people have entered
        #[arg(long)]
        content: bool,
    },
    /// Give them back to the queues that they came from
    Replay(LettersMeant),
    /// Throw them away for good
    Discard(LettersMeant),
}

/// Which dead letters are meant.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub(crate) struct LettersMeant {
    /// Their ids
    #[arg(value_name = "ID", group = "which")]
    pub(crate) ids: Vec<String>,
    /// All of them
    #[arg(long, group = "which")]
    pub(crate) all: bool,
    /// Those that were set aside from this queue
    #[arg(long, value_name = "QUEUE", group = "which")]
    pub(crate) from: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// For whom something is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table for people
    Table,
    /// JSON for programs
    Json,
}

/// What is written for the first time.
#[derive(Debug, Clone, Args)]
pub(crate) struct InitOptions {
    /// Of which system
    #[arg(value_enum)]
    pub(crate) of: InitOf,
    /// The address of the CRM's API, to look at it
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<Url>,
    /// The file with the secret that the CRM asks for
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Where the declaration is written
    #[arg(long, value_name = "FILE", default_value = "customcrm.toml")]
    pub(crate) out: PathBuf,
}

/// A system of which people write declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InitOf {
    /// CustomCRM
    #[value(name = "customcrm")]
    CustomCrm,
}

/// Whose consent is asked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct AuthOptions {
    /// At which system
    #[arg(value_enum)]
    pub(crate) at: ConsentAt,
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "TANDEM_CONFIG", default_value = "tandem.toml")]
    pub(crate) config: PathBuf,
    /// For which of the configuration's connections, where it has several
    #[arg(long, value_name = "NAME", value_parser = connection_name)]
    pub(crate) connection: Option<ConnectionName>,
}

/// A system that a person gives consent at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConsentAt {
    /// Exact Online
    #[value(name = "exactonline")]
    ExactOnline,
}

/// How the checklist is run.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChecklistOptions {
    /// Test systems that this configuration names, instead of simulated ones
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Which of the configuration's connections, where it has several
    #[arg(long, value_name = "NAME", requires = "config", value_parser = connection_name)]
    pub(crate) connection: Option<ConnectionName>,
    /// Which reading of the pairs; with a configuration, its connection's own
    #[arg(long, value_enum, conflicts_with = "config", default_value_t = ReadingChoice::Practical)]
    pub(crate) reading: ReadingChoice,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub(crate) format: ReportFormat,
    /// Only the rows of this pair
    #[arg(long, value_name = "PAIR", value_parser = pair_name)]
    pub(crate) pair: Option<PairName>,
    /// Which log events are shown on stderr, as "warn" or "info,mapper=debug"
    #[arg(long, value_name = "FILTER", default_value = "error")]
    pub(crate) log: String,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A table for people
    Table,
    /// JUnit XML
    Junit,
    /// JSON, an object for each check
    Json,
}

/// How the dataflow document is printed.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataflowOptions {
    /// The folder with the pair files; without it, those that ship
    #[arg(long, value_name = "DIR")]
    pub(crate) pairs: Option<PathBuf>,
    /// How the page is set
    #[arg(long, value_enum, default_value_t = PageFormat::Rst)]
    pub(crate) format: PageFormat,
    /// Which reading of the pairs
    #[arg(long, value_enum, default_value_t = ReadingChoice::Practical)]
    pub(crate) reading: ReadingChoice,
}

/// How a page is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// reStructuredText
    Rst,
    /// Markdown
    Markdown,
    /// One HTML page
    Html,
}

/// A reading of the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReadingChoice {
    /// Records meet where they mean the same
    Practical,
    /// Every record has a partner in every pair
    Literal,
}

/// A file that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Pair files
    Pairs,
    /// Declarations of what a CRM's API is like
    Customcrm,
    /// The queues and their messages, as an AsyncAPI document
    Queues,
}

impl From<ReadingChoice> for Reading {
    fn from(choice: ReadingChoice) -> Self {
        match choice {
            ReadingChoice::Practical => Self::Practical,
            ReadingChoice::Literal => Self::Literal,
        }
    }
}

/// How the demo is played.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoOptions {
    /// How long it lasts, as 15s, 500ms, 2m or 1h; without it, until Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) lasts: Option<Duration>,
    /// A folder with users.csv, customers.csv and accounts.csv to use instead of the built-in book
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What the human's choices follow from: the same seed gives the same kinds of edits
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How often the human edits
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=1_200))]
    pub(crate) edits_per_minute: u32,
    /// Which log events are shown on stderr, as "warn" or "info,mapper=debug"
    #[arg(long, value_name = "FILTER", default_value = "error")]
    pub(crate) log: String,
}

/// What is to be printed instead of doing anything: help, the version, or what is wrong with the command line.
pub(crate) struct Told(pub(crate) clap::Error);

/// Reads a command line, the program's name first.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Told> {
    Arguments::try_parse_from(arguments).map(|arguments| arguments.command).map_err(Told)
}

fn connection_name(text: &str) -> Result<ConnectionName, String> {
    ConnectionName::parse(text).map_err(|error| error.to_string())
}

fn pair_name(text: &str) -> Result<PairName, String> {
    PairName::parse(text).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with its unit, as 15s, 500ms, 2m or 1h".to_owned();
    let digits = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    match u64::from(number) * milliseconds {
        0 => Err("a demo of no time shows nothing: write at least 1s".to_owned()),
        milliseconds => Ok(Duration::from_millis(milliseconds)),
    }
}

#[cfg(test)]
mod tests;
