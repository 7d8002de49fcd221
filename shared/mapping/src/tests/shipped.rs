//! The pair files that ship.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use model::{Content, Properties, System};

use crate::{Lookups, Pair, Reading, meet, writers};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs")
}

fn files() -> Vec<(String, String)> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_shipped_pair_can_work_in_both_readings_beside_the_others() {
    let files = files();
    assert!(!files.is_empty());
    let kept: BTreeSet<_> = files.iter().filter_map(|(_, text)| Pair::name_in(text)).collect();
    for reading in Reading::ALL {
        let pairs = files.iter().map(|(name, text)| Pair::parse(name, text, reading, &kept));
        let pairs: Vec<Pair> = pairs.map(Result::unwrap).collect();
        assert_eq!(meet(&pairs), [], "{reading}");
        assert!(!writers(&pairs).is_empty());
    }
}

#[test]
fn a_shipped_pair_is_called_as_its_file() {
    for (name, text) in files() {
        assert_eq!(Pair::name_in(&text).map(|pair| format!("{pair}.toml")), Some(name));
    }
}

#[test]
fn the_schema_beside_the_shipped_pairs_is_the_one_that_they_are_read_by() {
    let file = folder().join("pair.schema.json");
    let shipped = fs::read_to_string(file).unwrap();
    let again = "write it anew: tandem schema pairs > deploy/pairs/pair.schema.json";
    assert!(shipped == crate::schema(), "{again}");
    for (name, text) in files() {
        assert!(text.starts_with("#:schema pair.schema.json\n"), "{name} names no schema for editors");
    }
}

/// The pair of customers with a property of the CRM that keeps the account's id.
#[test]
fn a_crm_that_keeps_the_id_of_exact_finds_the_partner_by_it_alone() {
    let row =
        "[[property]]\ncustomcrm = \"ExactId\"\nexactonline = \"ID\"\nedm = \"Edm.Guid\"\nkind = \"text\"\n";
    let text = fs::read_to_string(folder().join("customer-account.toml")).unwrap();
    let keeping = |direction: &str| {
        text.replacen("\nmatch_keys = [", "\nmatch_keys = [\"ExactId\", ", 1).replacen(
            "\n[[property]]\n",
            &format!("\n{row}{direction}\n[[property]]\n"),
            1,
        )
    };
    let kept = BTreeSet::from([Pair::name_in(&text).unwrap()]);
    let pair = |text: &str| Pair::parse("customer-account.toml", text, Reading::Practical, &kept);
    let pair_file = pair(&keeping("direction = \"to-crm\"\n")).unwrap();
    let id = "0a1b2c3d-0000-4000-8000-000000000001";
    let key = |system: System, name: &str, written: &str| {
        let properties = Properties::from([(name.to_owned(), Content::from(written))]);
        let view = pair_file.view(system, &properties, &Lookups::default()).view;
        pair_file.match_keys(&view, None).first().map(|key| (key.name(), key.value.clone()))
    };
    let in_exact = key(System::ExactOnline, "ID", id).unwrap();
    assert_eq!(in_exact.0, "ExactId");
    assert_eq!(key(System::CustomCrm, "ExactId", &id.to_uppercase()), Some(in_exact));

    let both_ways = pair(&keeping("")).unwrap_err();
    assert!(both_ways[0].problem.contains("can't hold a property of kind \"text\""), "{both_ways:?}");
}
