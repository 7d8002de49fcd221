//! `tandem dataflow`: what the pair files say, as a page for people.

use std::io::{self, Write as _};
use std::process::ExitCode;

use mapping::{Dataflow, Format, Reading};
use service::ServiceError;
use telemetry::Chain;

use crate::BAD_USAGE;
use crate::arguments::{DataflowOptions, PageFormat};
use crate::shipped;

/// Prints the document, or everything that is wrong with the pair files.
pub(crate) fn run(options: &DataflowOptions) -> ExitCode {
    // Nobody is left to tell when the terminal has gone.
    match page(options) {
        Ok(page) => {
            let _ = io::stdout().write_all(page.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "tandem: {}", Chain(&error));
            ExitCode::from(BAD_USAGE)
        }
    }
}

fn page(options: &DataflowOptions) -> Result<String, ServiceError> {
    let reading = Reading::from(options.reading);
    let pairs = match &options.pairs {
        Some(folder) => service::load_pairs(folder, reading)?,
        None => shipped::pairs(reading)?,
    };
    let format = match options.format {
        PageFormat::Rst => Format::Rst,
        PageFormat::Markdown => Format::Markdown,
        PageFormat::Html => Format::Html,
    };
    Ok(Dataflow::of(&pairs, reading, jiff::Zoned::now().date()).print(format))
}
