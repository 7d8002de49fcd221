//! `tandem check`: whether the pair files can work, without calling anybody.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use link::Flow;
use mapping::{Pair, Reading};
use model::System;
use service::{Pairs, ServiceError};
use telemetry::Chain;

use crate::BAD_USAGE;

#[cfg(test)]
mod tests;

/// Tells what the pair files of a folder say, or everything that is wrong with them.
pub(crate) fn run(folder: &Path) -> ExitCode {
    // Nobody is left to tell when the terminal has gone.
    match checked(folder) {
        Ok(pairs) => {
            let _ = io::stdout().write_all(told(&pairs).as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "tandem: {}", Chain(&error));
            ExitCode::from(BAD_USAGE)
        }
    }
}

fn checked(folder: &Path) -> Result<Vec<Pair>, ServiceError> {
    let pairs = Pairs::load(folder, &Reading::ALL.into())?;
    exactonline::kept(&pairs).map_err(ServiceError::Pairs)?;
    Ok(pairs.of(Reading::Practical).to_vec())
}

fn told(pairs: &[Pair]) -> String {
    let mut text = String::new();
    for pair in pairs {
        let flowing = |flow: Flow| pair.properties.iter().filter(|row| row.flow == flow).count();
        let (crm, exact) = (&pair.entities.customcrm, &pair.entities.exactonline);
        let keys: Vec<String> = pair.match_keys.iter().map(mapping::KeyRows::name).collect();
        let creates: Vec<&str> =
            System::BOTH.into_iter().filter(|system| pair.creates[*system]).map(System::name).collect();
        let mut line = |label: &str, value: String| {
            writeln!(text, "  {label:<20}{value}").expect("a text takes whatever is written to it");
        };
        line("entities", format!("customcrm {crm}, exactonline {exact}"));
        line("both ways", flowing(Flow::Both).to_string());
        line("only to exactonline", flowing(Flow::To(System::ExactOnline)).to_string());
        line("only to customcrm", flowing(Flow::To(System::CustomCrm)).to_string());
        line("matched by", keys.join(", "));
        line("creates in", if creates.is_empty() { "neither".to_owned() } else { creates.join(", ") });
        if !pair.resting.is_empty() {
            let resting: Vec<&str> = pair.resting.iter().map(model::PropertyName::as_str).collect();
            line("rests", format!("{}, until the pair that it refers to is kept", resting.join(", ")));
        }
        let begin = text.rfind("  entities").unwrap_or(0);
        text.insert_str(begin, &format!("{}: {} properties\n", pair.name, pair.properties.len()));
    }
    text
}
