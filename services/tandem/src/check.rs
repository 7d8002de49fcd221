//! `tandem check`: whether the pair files can work, without calling anybody; and with a configuration, whether each
//! connection's CRM is as its declaration says, by reads alone.

mod crm;
mod report;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use link::Flow;
use mapping::{Pair, Reading, Writers};
use model::System;
use service::{Pairs, ServiceError};
use telemetry::Chain;

use crate::BAD_USAGE;
use crate::arguments::CheckOptions;

#[cfg(test)]
mod tests;

/// Tells what the pair files of a folder say in a reading, or everything that is wrong with them in either; with a
/// configuration this of its pair files, and then what each CRM shows.
pub(crate) fn run(options: &CheckOptions) -> ExitCode {
    if let Some(config) = &options.config {
        return crm::run(config, options.connection.as_ref());
    }
    let reading = options.reading.into();
    match checked(&options.pairs) {
        Ok(pairs) => {
            say(&told(pairs.of(reading), reading));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&Chain(&error).to_string());
            ExitCode::from(BAD_USAGE)
        }
    }
}

// Nobody is left to tell when the terminal has gone.

fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "tandem: {text}");
}

fn checked(folder: &Path) -> Result<Pairs, ServiceError> {
    let pairs = Pairs::load(folder, &BTreeSet::from(Reading::ALL))?;
    exactonline::kept(&pairs).map_err(ServiceError::Pairs)?;
    Ok(pairs)
}

fn told(pairs: &[Pair], reading: Reading) -> String {
    let mut text = format!("{} pairs in the {reading} reading\n", pairs.len());
    for pair in pairs {
        out(&mut text, format_args!("\n{}: {} properties\n", pair.name, pair.rows().count()));
        let mut line = |label: &str, value: &str| out(&mut text, format_args!("  {label:<28}{value}\n"));
        for (label, value) in mapping::facts(pair) {
            line(label, &value);
        }
        let flowing = |to: &[System]| {
            let flows =
                |flow: Flow| System::BOTH.iter().all(|system| flow.reaches(*system) == to.contains(system));
            pair.rows().filter(|row| flows(row.flow)).count().to_string()
        };
        line("Both ways", &flowing(&System::BOTH));
        line("Only to Exact Online", &flowing(&[System::ExactOnline]));
        line("Only to CustomCRM", &flowing(&[System::CustomCrm]));
        if !pair.resting.is_empty() {
            let resting: Vec<&str> = pair.resting.iter().map(model::PropertyName::as_str).collect();
            line("Rests", &format!("{}, until the pair that it refers to is kept", resting.join(", ")));
        }
    }
    let shared: Vec<Writers> =
        mapping::writers(pairs).into_iter().filter(|writers| writers.pairs.len() > 1).collect();
    if !shared.is_empty() {
        text.push_str("\nProperties that several pairs write; of one record the first that has it writes:\n");
    }
    for writers in shared {
        let pairs: Vec<&str> = writers.pairs.iter().map(model::PairName::as_str).collect();
        let property = format!("{} {}.{}", writers.system, writers.entity, writers.property);
        out(&mut text, format_args!("  {property:<58}{}\n", pairs.join(", ")));
    }
    text
}

fn out(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a text takes whatever is written to it");
}
