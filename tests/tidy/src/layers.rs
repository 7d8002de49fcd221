use std::path::Path;

use crate::metadata::{Ours, chain, ours};

/// The layers of `shared`, lowest first. A crate uses crates of lower layers only.
const LAYERS: &[&[&str]] = &[
    &["ambient", "wire", "model", "files"],
    &["link"],
    &["mapping"],
    &["contract"],
    &["telemetry"],
    &["broker", "store"],
    // What all replicas of a connector share goes through the store.
    &["customcrm", "exactonline"],
    &["service"],
    &["collector", "writer", "operations"],
];

/// `None`: not a crate of the product.
fn layer(member: &Ours) -> Option<usize> {
    if member.name == "tandem" {
        return Some(LAYERS.len() + 1);
    }
    if member.folder.starts_with("services") {
        return Some(LAYERS.len());
    }
    LAYERS.iter().position(|names| names.contains(&member.name.as_str()))
}

fn find(name: &str) -> &'static Ours {
    ours().iter().find(|member| member.name == name).unwrap_or_else(|| panic!("there is no crate {name}"))
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_crate_of_the_product_has_a_layer() {
    let without: Vec<String> = ours()
        .iter()
        .filter(|member| !member.folder.starts_with("tests") && layer(member).is_none())
        .map(|member| format!("{} has no layer: give it one in tests/tidy/src/layers.rs", member.name))
        .collect();
    assert_none(&without);
    for name in LAYERS.concat() {
        find(name);
    }
}

#[test]
fn a_crate_uses_only_crates_of_lower_layers() {
    let mut upward = Vec::new();
    for member in ours() {
        let Some(own) = layer(member) else { continue };
        for used in &member.uses {
            let lower = match layer(find(used)) {
                Some(other) => other < own,
                // The one-process mode shows the product against simulated systems.
                None => member.name == "tandem" && used.starts_with("simulator-"),
            };
            if !lower {
                upward.push(format!("{} uses {used}, which is not below it", member.name));
            }
        }
    }
    assert_none(&upward);
}

#[test]
fn what_tests_stand_on_uses_nothing_of_the_product() {
    let mut found = Vec::new();
    for member in ours().iter().filter(|member| member.folder.starts_with("tests")) {
        // The promises are judged from outside, but links, messages and the store are read to say what went wrong. And
        // the model check goes through the very step that the product takes.
        let exempt = ["chaos", "model-check", "people", "simulation"].contains(&member.name.as_str());
        let of_product = |used: &&String| !find(used).folder.starts_with("tests");
        // A simulation stands in for the clock of the simulators too.
        let is_clock = |used: &&String| *used == "ambient";
        let uses = member.uses.iter().filter(|used| !is_clock(used));
        for used in uses.filter(|_| !exempt).filter(of_product) {
            found.push(format!(
                "{} uses {used}: a simulator that shares our code shares our mistakes",
                member.name
            ));
        }
    }
    assert_none(&found);
}

#[test]
fn the_pure_crates_reach_no_runtime_and_no_network() {
    assert_unreached(
        &["model", "mapping", "link"],
        &["ambient", "tokio", "lapin", "redis", "reqwest", "opentelemetry"],
    );
}

#[test]
fn the_mapper_reaches_no_vendor() {
    assert_unreached(&["mapper"], &["customcrm", "exactonline"]);
}

#[test]
fn a_collector_and_a_writer_reach_one_vendor() {
    assert_unreached(&["collector-customcrm", "writer-customcrm"], &["exactonline"]);
    assert_unreached(&["collector-exactonline", "writer-exactonline"], &["customcrm"]);
}

#[test]
fn a_chain_is_found_where_there_is_one() {
    assert_eq!(chain("mapper", "model").unwrap().last().unwrap(), "model");
    assert!(chain("tandem", "lapin").is_some(), "the guard against a search that finds nothing");
}

fn assert_unreached(from: &[&str], to: &[&str]) {
    let chains: Vec<String> = from
        .iter()
        .flat_map(|from| to.iter().filter_map(|to| chain(from, to)))
        .map(|chain| chain.join(" -> "))
        .collect();
    assert_none(&chains);
}

#[test]
fn a_folder_is_named_as_its_crate() {
    let mut found = Vec::new();
    for member in ours() {
        let folder = member.folder.file_name().unwrap().to_string_lossy();
        let simulator = member.folder.parent().is_some_and(|parent| parent == Path::new("tests/simulators"));
        let expected = if simulator { format!("simulator-{folder}") } else { folder.into_owned() };
        if member.name != expected {
            found.push(format!("{}: the crate is {}, not {expected}", member.folder.display(), member.name));
        }
    }
    assert_none(&found);
}
