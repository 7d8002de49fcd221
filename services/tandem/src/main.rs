//! The command `tandem`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tandem::run()
}
