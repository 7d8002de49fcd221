#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::time::Duration;

use clap::CommandFactory;

use super::{Arguments, Command, Told, duration, read};

fn told(arguments: &[&str]) -> Result<Command, (bool, String)> {
    let arguments = ["tandem"].iter().chain(arguments).map(OsString::from);
    read(arguments).map_err(|Told(told)| (told.use_stderr(), told.to_string()))
}

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn a_duration_has_a_number_and_a_unit() {
    let durations: Vec<_> =
        ["15s", "500ms", "2m", "1h"].map(|text| duration(text).unwrap().as_millis()).into();
    assert_eq!(durations, [15_000, 500, 120_000, 3_600_000]);
    for wrong in ["15", "s", "1.5s", "-1s", "15 s", "15d", "", "0s", "99999999999s"] {
        assert!(duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_long_help_teaches_and_is_no_error() {
    let (is_error, help) = told(&["--help"]).unwrap_err();
    assert!(!is_error);
    for taught in ["tandem demo --for 15s", "[connection.exactonline]", "tandem.redb", "Exit codes"] {
        assert!(help.contains(taught), "{taught} is missing in\n{help}");
    }
}

#[test]
fn the_version_is_told_by_flag_and_by_command() {
    let (is_error, version) = told(&["--version"]).unwrap_err();
    assert_eq!((is_error, version.trim()), (false, concat!("tandem ", env!("CARGO_PKG_VERSION"))));
    assert!(matches!(told(&["version"]), Ok(Command::Version)));
}

#[test]
fn misuse_is_an_error_that_says_what_to_write() {
    let (is_error, words) = told(&["demo", "--for", "15"]).unwrap_err();
    assert!(is_error && words.contains("15s, 500ms, 2m or 1h"), "{words}");
    assert!(
        matches!(told(&["demo", "--for", "15s"]), Ok(Command::Demo(options)) if options.lasts == Some(Duration::from_secs(15)))
    );
    assert!(told(&["dance"]).unwrap_err().0);
}
