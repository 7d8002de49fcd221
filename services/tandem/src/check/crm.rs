//! Each connection's CRM, held against its declaration and the pair files.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use customcrm::{Declaration, SearchedBy};
use mapping::Pair;
use model::{ConnectionName, System};
use service::{Config, ConnectionConfig, CustomCrmConfig, Needs, Pairs, ServiceError};
use telemetry::Chain;
use tokio::runtime::Builder;

use super::report::{self, Checked};
use crate::BAD_USAGE;

/// Why the CRMs can't be checked at all.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    /// The configuration can't be used.
    #[error("the configuration can't be used")]
    Configuration(#[source] ServiceError),
    /// It has no such connection.
    #[error("{} has no connection {name}; it has {}", file.display(), connections.join(", "))]
    NoConnection { file: PathBuf, name: ConnectionName, connections: Vec<String> },
    /// The pair files can't work.
    #[error("the pair files can't work")]
    Pairs(#[source] ServiceError),
    /// Declarations can't work: all that is wrong with any of them.
    #[error("{}", .0.join("\n"))]
    Declarations(Vec<String>),
    /// A CRM can't be called as configured.
    #[error("connection {connection} can't be used")]
    Settings {
        connection: ConnectionName,
        #[source]
        source: customcrm::Error,
    },
    /// The operating system refused what every process needs.
    #[error("the operating system refused a runtime")]
    Process(#[source] io::Error),
}

/// A connection that is checked.
struct Side<'a> {
    connection: &'a ConnectionConfig,
    crm: &'a CustomCrmConfig,
    declaration: Declaration,
}

/// Checks the pair files of a configuration and the CRMs of its connections, or of one; exit code 0 when nothing is wrong.
pub(super) fn run(file: &Path, name: Option<&ConnectionName>) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(CheckError::Process);
    match runtime.and_then(|runtime| runtime.block_on(checked(file, name))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            super::complain(&Chain(&error).to_string());
            match error {
                CheckError::Process(_) => ExitCode::FAILURE,
                _ => ExitCode::from(BAD_USAGE),
            }
        }
    }
}

async fn checked(file: &Path, name: Option<&ConnectionName>) -> Result<bool, CheckError> {
    let needs = Needs { pairs: true, customcrm: true, ..Needs::NOTHING };
    let config = Config::load(file, needs).map_err(CheckError::Configuration)?;
    let pairs = super::checked(&config.pairs).map_err(CheckError::Pairs)?;
    let sides = sides(file, &config, name)?;
    for reading in sides.iter().map(|side| side.connection.reading).collect::<BTreeSet<_>>() {
        super::say(&super::told(pairs.of(reading), reading));
    }
    let mut is_green = true;
    for side in &sides {
        let checked = side.checked(&pairs).await?;
        is_green &= !checked.fails();
        super::say(&report::told(&checked, &consent_command(file, &side.connection.name)));
    }
    Ok(is_green)
}

/// The connections that are asked for, each with its declaration.
fn sides<'a>(
    file: &Path,
    config: &'a Config,
    name: Option<&ConnectionName>,
) -> Result<Vec<Side<'a>>, CheckError> {
    let (mut sides, mut problems) = (Vec::new(), Vec::new());
    for connection in &config.connections {
        let Some(crm) =
            connection.customcrm.as_ref().filter(|_| name.is_none_or(|name| connection.name == *name))
        else {
            continue;
        };
        match Declaration::written(crm.declared()) {
            Ok(declaration) => sides.push(Side { connection, crm, declaration }),
            Err(error) => problems.push(format!("connection {}: {}", connection.name, Chain(&error))),
        }
    }
    if !problems.is_empty() {
        return Err(CheckError::Declarations(problems));
    }
    match name {
        Some(name) if sides.is_empty() => {
            let connections = config.customcrm().map(|(name, _)| name.to_string()).collect();
            Err(CheckError::NoConnection { file: file.to_owned(), name: name.clone(), connections })
        }
        _ => Ok(sides),
    }
}

impl Side<'_> {
    async fn checked(&self, pairs: &Pairs) -> Result<Checked, CheckError> {
        let pairs = pairs.of(self.connection.reading);
        let settings = collector_customcrm::settings(self.crm);
        let report = customcrm::probe(&settings, &self.declaration, &searched(pairs))
            .await
            .map_err(|source| CheckError::Settings { connection: self.connection.name.clone(), source })?;
        let declared = self.crm.declared().map(|(file, _)| file.display().to_string());
        let mut checked = Checked {
            connection: self.connection.name.to_string(),
            crm: self.declaration.crm.clone(),
            declared: declared.unwrap_or_else(|| "the default API".to_owned()),
            findings: report.findings,
        };
        // A CRM that does not let us in shows no record to hold pairs against.
        if !report.seen.is_empty() {
            let of_pair = |pair| report::of_pair(pair, &self.declaration, &report.seen);
            checked.findings.extend(pairs.iter().map(of_pair));
        }
        Ok(checked)
    }
}

/// The properties of the CRM by which the pairs search for a partner.
fn searched(pairs: &[Pair]) -> BTreeSet<SearchedBy> {
    let by = |pair: &Pair| -> Vec<SearchedBy> {
        let rows = pair.match_keys.iter().flat_map(|key| &key.0);
        let named = rows.filter_map(|row| pair.property(row)?.names[System::CustomCrm].clone());
        let entity = pair.entities[System::CustomCrm].to_string();
        named.map(|property| SearchedBy { entity: entity.clone(), property }).collect()
    };
    pairs.iter().filter(|pair| !pair.is_membership).flat_map(by).collect()
}

/// The command that shows whether a grant of Exact Online serves.
fn consent_command(file: &Path, connection: &ConnectionName) -> String {
    format!("tandem auth exactonline --config {} --connection {connection}", file.display())
}
