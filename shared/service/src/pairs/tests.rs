#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use mapping::{Pair, Reading};
use model::{ConnectionName, EntityName, PairName, System};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Pairs, entities, load_pairs, selected, selected_of_lines};
use crate::{Config, Context, Health, Needs, Reloads, ServiceError, given};

const CUSTOMERS: &str = r#"
pair = "customer-account"
title = "Customers"
summary = "Customers."
conflict = "crm"
match_keys = []
search_own = "Name"
[customcrm]
entity = "customers"
create = true
[exactonline]
entity = "accounts"
create = true
[[property]]
customcrm = "Name"
exactonline = "Name"
edm = "Edm.String"
kind = "text"
required = true
"#;

/// In the literal reading a user has a quotation of its own, made with what the connection gives.
const USERS: &str = r#"
pair = "user-quotation"
title = "Users"
summary = "Users."
conflict = "crm"
match_keys = []
search_own = "FullName"
[customcrm]
entity = "users"
create = false
[exactonline]
entity = "quotations"
create = false
[literal.exactonline]
entity = "quotations"
create = true
[[property]]
customcrm = "FullName"
exactonline = "Description"
edm = "Edm.String"
kind = "text"
[[property]]
customcrm = "Title"
exactonline = "Remarks"
edm = "Edm.String"
kind = "text"
reading = "literal"
[[constant]]
exactonline = "OrderAccount"
value = "$literal.account"
reading = "literal"
[[constant]]
exactonline = "QuotationLines"
value = [{ Item = "$literal.item", Quantity = 1 }]
reading = "literal"
"#;

const BOTH: [Reading; 2] = Reading::ALL;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn shipped() -> TempDir {
    folder(&[("a.toml", CUSTOMERS), ("b.toml", USERS), ("note.txt", "no pair")])
}

fn config(folder: &Path, text: &str) -> (std::path::PathBuf, Config) {
    let file = folder.join("tandem.conf");
    fs::write(&file, text).unwrap();
    let config = Config::load(&file, Needs::NOTHING).unwrap();
    (file, config)
}

/// A deployment of one connection in each reading.
fn context(folder: &Path) -> Context {
    let literal = "literal = { account = \"0a1b2c3d-0000-4000-8000-000000000001\" }";
    let text = format!(
        "[[connection]]\nname = \"acme\"\n{literal}\n[[connection]]\nname = \"beta\"\nreading = \"literal\"\n{literal}\n"
    );
    let (_, config) = config(folder, &text);
    Context {
        pairs: Pairs::load(folder, &config.readings()).unwrap(),
        config: Arc::new(config),
        stop: CancellationToken::new(),
        health: Health::new(),
        metrics: Arc::new(telemetry::Metrics::new("test")),
        reloads: Reloads::none(),
    }
}

fn name(name: &str) -> ConnectionName {
    ConnectionName::parse(name).unwrap()
}

fn names(pairs: &[Pair]) -> Vec<&str> {
    pairs.iter().map(|pair| pair.name.as_str()).collect()
}

#[test]
fn each_connection_keeps_its_pairs_in_its_own_reading() {
    let folder = shipped();
    let context = context(folder.path());
    let creates = |connection: &str| {
        let pairs = context.pairs_of(&name(connection));
        assert_eq!(names(pairs), ["customer-account", "user-quotation"]);
        pairs[1].creates[System::ExactOnline]
    };
    assert_eq!((creates("acme"), creates("beta")), (false, true));
    assert_eq!(context.pairs_of(&name("nobody")), []);
}

#[test]
fn a_pair_of_both_readings_has_one_queue_and_what_either_maps_is_selected() {
    let folder = shipped();
    let context = context(folder.path());
    let once: Vec<&PairName> = context.pairs().map(|pair| &pair.name).collect();
    assert_eq!(once, [&context.pairs[0].name, &context.pairs[1].name]);
    assert_eq!(context.pairs.len(), 4);
    let only_literal = Pairs::load(folder.path(), &[Reading::Literal].into()).unwrap();
    assert_eq!((only_literal.once().count(), only_literal.of(Reading::Practical)), (2, [].as_slice()));

    let quotations = EntityName::parse("quotations").unwrap();
    let practical = context.pairs_of(&name("acme"));
    assert_eq!(selected(practical, System::ExactOnline, &quotations), ["Description"]);
    assert_eq!(selected(&context.pairs, System::ExactOnline, &quotations), ["Description", "Remarks"]);
    assert_eq!(entities(&context.pairs, System::CustomCrm).len(), 2);
}

#[test]
fn properties_of_lines_are_selected_by_themselves_with_the_ids_of_lines() {
    let lines = r#"
[lines]
customcrm = "Lines"
exactonline = "QuotationLines"
edm = "Collection(QuotationLines)"
id = { customcrm = "LineId", exactonline = "ID" }
match_by = ["Quantity"]
[[lines.property]]
customcrm = "Quantity"
exactonline = "Quantity"
edm = "Edm.Double"
kind = "quantity"
"#;
    let folder = folder(&[("a.toml", &format!("{USERS}{lines}"))]);
    let pairs = load_pairs(folder.path(), Reading::Practical).unwrap();
    let [users, quotations] = ["users", "quotations"].map(|entity| EntityName::parse(entity).unwrap());
    assert_eq!(selected_of_lines(&pairs, System::CustomCrm, &users), ["LineId", "Quantity"]);
    assert_eq!(selected_of_lines(&pairs, System::ExactOnline, &quotations), ["ID", "Quantity"]);
    assert_eq!(
        selected(&pairs, System::CustomCrm, &users),
        ["FullName"],
        "a line's property is none of its own"
    );
    assert_eq!(selected_of_lines(&pairs, System::ExactOnline, &users), [""; 0]);
}

#[test]
fn what_a_pair_asks_for_and_its_connection_does_not_give_is_refused_by_connection_and_key() {
    let folder = shipped();
    let text = "[[connection]]\nname = \"acme\"\n[[connection]]\nname = \"beta\"\nreading = \"literal\"\n\
                literal.item = \"0a1b2c3d-0000-4000-8000-000000000002\"\n\
                [[connection]]\nname = \"zeta\"\nreading = \"literal\"\n";
    let (file, config) = config(folder.path(), text);
    let pairs = Pairs::load(folder.path(), &config.readings()).unwrap();
    let Err(ServiceError::Configuration(problems)) = given::check(&file, &config, &pairs) else {
        panic!("it was not refused")
    };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let missing = |key: &str, entity: &str| {
        format!(
            "{}: connection.{key}: is missing, and every record that the pair user-quotation makes is given it; \
             give the GUID of one of Exact's {entity} there",
            file.display()
        )
    };
    assert_eq!(
        told,
        [
            missing("beta.literal.account", "accounts"),
            missing("zeta.literal.account", "accounts"),
            missing("zeta.literal.item", "items"),
        ]
    );
}

#[test]
fn a_connection_is_given_only_what_its_own_pairs_ask_for() {
    let folder = shipped();
    let context = context(folder.path());
    assert_eq!(context.given_to(&name("acme")), [], "the practical reading asks for nothing");
    let given = context.given_to(&name("beta"));
    assert_eq!(given.iter().map(|given| given.name).collect::<Vec<_>>(), ["literal.account"]);
}

#[test]
fn what_is_wrong_with_any_file_in_either_reading_is_told_at_once_and_once() {
    let broken = CUSTOMERS.replace("kind = \"text\"", "kind = \"txt\"");
    let literal_only = USERS.replace("customcrm = \"Title\"", "customcrm = \"Title\"\nconflict = \"war\"");
    let folder = folder(&[("a.toml", &broken), ("b.toml", &literal_only)]);
    let Err(ServiceError::Pairs(problems)) = Pairs::load(folder.path(), &BOTH.into()) else {
        panic!("it was not refused")
    };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.iter().filter(|problem| problem.contains("a.toml")).count(), 1, "{told:#?}");
    assert_eq!(told.iter().filter(|problem| problem.contains("b.toml")).count(), 1, "{told:#?}");
    let distinct: BTreeSet<&String> = told.iter().collect();
    assert_eq!(distinct.len(), told.len(), "{told:#?}");
}

#[test]
fn pairs_that_do_not_go_together_are_told_with_what_is_wrong_with_single_files() {
    let broken = CUSTOMERS.replace("kind = \"text\"", "kind = \"txt\"");
    let rival = USERS.replace("user-quotation", "order-quotation");
    let adopting = format!("adopts = {{ reference = \"Boss\", pair = \"customer-account\" }}\n{USERS}");
    let adopting = adopting.replace("user-quotation", "quote-quotation");
    let files =
        [("a.toml", broken.as_str()), ("b.toml", USERS), ("c.toml", rival.as_str()), ("d.toml", &adopting)];
    let folder = folder(&files);
    let Err(ServiceError::Pairs(problems)) = load_pairs(folder.path(), Reading::Practical) else {
        panic!("it was not refused")
    };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|problem| problem.contains("a.toml") && problem.contains("txt")), "{told:#?}");
    assert!(
        told.iter().any(|problem| problem.contains("c.toml") && problem.contains("yields_to")),
        "{told:#?}"
    );
    assert!(told.iter().all(|problem| !problem.contains("not kept")), "its file is there: {told:#?}");
}

#[test]
fn a_pair_of_other_entities_in_the_other_reading_is_refused() {
    let other = USERS.replacen(
        "[literal.exactonline]\nentity = \"quotations\"",
        "[literal.exactonline]\nentity = \"accounts\"",
        1,
    );
    let folder = folder(&[("b.toml", &other)]);
    let Err(ServiceError::Pairs(problems)) = Pairs::load(folder.path(), &BOTH.into()) else {
        panic!("it was not refused")
    };
    assert!(
        problems.iter().any(|problem| problem.to_string().contains("the entities are others")),
        "{problems:?}"
    );
}

#[test]
fn what_no_connection_can_give_is_refused_by_its_place_in_the_file() {
    let other = USERS.replace("$literal.item", "$literal.\u{1f600}");
    let folder = folder(&[("b.toml", &other)]);
    assert!(load_pairs(folder.path(), Reading::Practical).is_ok());
    let Err(ServiceError::Pairs(problems)) = load_pairs(folder.path(), Reading::Literal) else {
        panic!("it was not refused")
    };
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    let row = other.lines().position(|line| line.contains("QuotationLines")).unwrap() + 1;
    assert!((row - 1..=row + 1).contains(&problem.line), "{problem}");
    assert!(problem.to_string().ends_with("write $literal.account or $literal.item"), "{problem}");
}

#[test]
fn a_reading_that_nobody_kept_before_is_added_while_the_files_are_those_of_the_others() {
    let folder = shipped();
    let practical = Pairs::load(folder.path(), &[Reading::Practical].into()).unwrap();
    let both = Pairs::load(folder.path(), &BOTH.into()).unwrap();
    let (pairs, have_changed) = practical.with_readings_of(&both).unwrap();
    assert_eq!(
        (pairs.of(Reading::Practical), pairs.of(Reading::Literal)),
        (both.of(Reading::Practical), both.of(Reading::Literal))
    );
    assert!(!have_changed);
    assert!(!both.with_readings_of(&both).unwrap().1);

    fs::write(folder.path().join("a.toml"), CUSTOMERS.replace("conflict = \"crm\"", "conflict = \"newest\""))
        .unwrap();
    let changed = Pairs::load(folder.path(), &BOTH.into()).unwrap();
    let (pairs, have_changed) = both.with_readings_of(&changed).unwrap();
    assert_eq!(
        (pairs.of(Reading::Practical), have_changed),
        (both.of(Reading::Practical), true),
        "they wait for a restart"
    );
    assert!(matches!(practical.with_readings_of(&changed), Err(ServiceError::PairsChanged)));
}

#[test]
fn a_process_serves_all_pairs_or_those_that_it_is_told_and_knows_all_of_them() {
    let folder = shipped();
    let pairs = Pairs::load(folder.path(), &BOTH.into()).unwrap();
    let served = |pairs: &Pairs| pairs.served().map(|pair| pair.name.to_string()).collect::<Vec<_>>();
    assert_eq!(served(&pairs), ["customer-account", "user-quotation"]);
    let one = pairs.clone().serving(&["user-quotation".to_owned()]).unwrap();
    assert_eq!((served(&one), one.once().count()), (vec!["user-quotation".to_owned()], 2));
    let again = one.with_readings_of(&pairs).unwrap().0;
    assert_eq!(served(&again), ["user-quotation"]);
    let practical = Pairs::load(folder.path(), &[Reading::Practical].into()).unwrap();
    let one = practical.serving(&["user-quotation".to_owned()]).unwrap().with_readings_of(&pairs).unwrap().0;
    assert_eq!((served(&one), one.len()), (vec!["user-quotation".to_owned()], 4));

    let refused = pairs.serving(&["user-quotation".to_owned(), "item-item".to_owned()]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there is no pair \"item-item\"; write --pair with one of customer-account, user-quotation"
    );
    assert_eq!(refused.exit_code(), 64);
}
