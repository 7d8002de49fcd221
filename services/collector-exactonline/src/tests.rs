//! What webhooks promise, against a strict simulator of the service that tells of changes.
#![allow(clippy::unwrap_used)]

mod bench;
mod hints;
mod listener;
mod subscriptions;

use std::fs;
use std::path::Path;

use mapping::{Pair, Reading};

/// The pairs that ship, in a reading.
pub(crate) fn shipped(reading: Reading) -> Vec<Pair> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let kept = texts.iter().filter_map(|text| Pair::name_in(text)).collect();
    texts.iter().map(|text| Pair::parse("shipped.toml", text, reading, &kept).unwrap()).collect()
}
