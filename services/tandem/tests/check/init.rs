use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::shop::{Ended, Shop};

/// Runs the command with these lines as its answers.
fn init(shop: &Shop, arguments: &[&str], answers: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(["init", "customcrm", "--out"]).arg(shop.path("crm.toml")).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    // One that has ended by itself reads no answers.
    let _ = program.stdin.take().unwrap().write_all(answers.as_bytes());
    Ended::of(program.wait_with_output().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_about_another_api_become_a_declaration_that_the_check_finds_green() {
    let shop = Shop::open().await;
    let token_file = shop.path("crm-token").display().to_string();
    shop.crm.control.clear_log();
    // What is left empty is as one look proposes it: the list, the id, times, versions, deletions and pages.
    let answers = [
        "6",
        "Acme",
        "bearer",
        "", // the customers' path
        "",
        "",
        "",
        "",
        "",
        "", // the record
        "",
        "",
        "",
        "",
        "500", // pages
        "updated_since",
        "include_deleted=true",
        "filter[{property}]", // changes and searches
        "",
        "me",
        "", // who we are
        "",
        "",
        "",
        "",
        "", // the other collections
        "Lines",
        "LineId",
        "Deleted",
        "Email",
    ];
    let arguments = ["--url", &shop.crm.base_url, "--token-file", &token_file];
    let ended = init(&shop, &arguments, &(answers.join("\n") + "\n"));
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("It answers, with 11 records"), "{}", ended.stdout);
    assert!(ended.stdout.contains("tandem check --config tandem.toml"), "{}", ended.stdout);
    for value in ["Secretive", &shop.crm.api_token] {
        assert!(!ended.stdout.contains(value), "{value} is shown");
    }
    let log = shop.crm.control.log();
    assert!(log.len() == 1 && log[0].method == "GET", "{log:#?}");

    let made = std::fs::read_to_string(shop.path("crm.toml")).unwrap();
    for line in [
        "#:schema customcrm.schema.json",
        "crm = \"Acme\"",
        "list = \"data\"",
        "id = \"Id\"",
        "version = \"Version\"",
        "modified_at = \"ModifiedAt\"",
        "deleted = \"IsDeleted\"",
        "next = \"next_cursor\"",
    ] {
        assert!(made.lines().any(|made| made == line), "{line} is missing in\n{made}");
    }
    shop.configure("declaration = \"crm.toml\"");
    let checked = shop.check(&[]);
    assert_eq!(checked.code, Some(0), "{:#?}\n{made}\n{}", checked.wrong(), checked.stderr);
    for line in ["paging.style", "incremental.parameter", "search.parameter", "record.deleted", "user.path"] {
        assert!(checked.line(line).trim_start().starts_with("ok "), "{}", checked.line(line));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_usual_answers_are_the_default_api_and_no_file_is_written_over() {
    let shop = Shop::open().await;
    let ended = init(&shop, &[], "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let made = std::fs::read_to_string(shop.path("crm.toml")).unwrap();
    shop.configure("declaration = \"crm.toml\"");
    assert_eq!(shop.check(&[]).code, Some(0));

    let again = init(&shop, &[], "2\n");
    assert_eq!(again.code, Some(64), "{}", again.stdout);
    assert!(again.stderr.contains("is there already, and is not written over"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(shop.path("crm.toml")).unwrap(), made);
}
