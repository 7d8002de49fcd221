//! `tandem check --config` and `tandem init customcrm` as their users run them: the program itself, and a simulated CRM.
#![allow(clippy::unwrap_used)]

mod init;
mod shop;

use shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_that_is_as_declared_is_green_line_by_line() {
    let shop = Shop::open().await;
    let ended = shop.check(&[]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(ended.wrong(), Vec::<&str>::new());
    assert!(ended.stdout.starts_with("7 pairs in the practical reading"), "{}", ended.stdout);
    assert!(ended.stdout.contains("connection acme, CustomCRM (the default API)"), "{}", ended.stdout);
    for (line, found) in [
        ("authentication.scheme", "let in"),
        ("user.path", "we are user "),
        ("answer.list", "a list of records in 6 collections"),
        ("answer.lookup", "in 6 collections"),
        ("errors.statuses", "answered with 404"),
        ("record.id", "in all "),
        ("record.version", "whole numbers"),
        ("record.modified_at", "rfc3339, ordered"),
        ("record.deleted", "1 record shown as deleted"),
        ("paging.style", "behind 10 of customers a second page of 1 follows and repeats nothing"),
        ("paging.size_parameter", "a page of 10 holds 10"),
        ("incremental.parameter", "none earlier; so it is in 6 collections"),
        ("search.parameter", "contacts.Email"),
        ("lock", "a record's ETag is its version"),
        ("collections.customers.path", "11 records on the first page"),
        ("collections.orders.lines", "5 of 5 documents have lines with LineId"),
        ("collections.users.email", "in "),
    ] {
        let told = ended.line(line);
        assert!(told.trim_start().starts_with("ok ") && told.contains(found), "{told}");
    }
    let consent = format!(
        "`tandem auth exactonline --config {} --connection acme`",
        shop.path("tandem.toml").display()
    );
    assert!(ended.stdout.contains(&consent), "{}", ended.stdout);
    for pair in ["customer-account", "order-salesorder", "user-quotation"] {
        let told = ended.stdout.lines().find(|line| line.contains(&format!("pair {pair} "))).unwrap();
        assert!(told.trim_start().starts_with("ok ") && told.contains("were seen in a record"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_reads_are_made_and_no_value_is_shown() {
    let shop = Shop::open().await;
    shop.crm.control.clear_log();
    let ended = shop.check(&["--connection", "acme"]);
    let log = shop.crm.control.log();
    assert!(log.len() > 20, "{}", log.len());
    assert!(log.iter().all(|call| call.method == "GET"), "{log:#?}");
    for value in ["Secretive", "secret.example", "NL00", &shop.crm.api_token] {
        assert!(!ended.stdout.contains(value) && !ended.stderr.contains(value), "{value} is shown");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_declared_wrongly_is_named_with_what_to_write() {
    let shop = Shop::open().await;
    for (from, to, line, remedy) in [
        (
            "path = \"customers\"",
            "path = \"clients\"",
            "collections.customers.path",
            "write the path at which it lists its customers",
        ),
        ("[record]\nid = \"Id\"", "[record]\nid = \"Ident\"", "record.id", "did you mean Id?"),
        ("version = \"Version\"", "version = \"Revision\"", "record.version", "did you mean Version?"),
        (
            "modified_at = \"ModifiedAt\"",
            "modified_at = \"ChangedOn\"",
            "record.modified_at",
            "did you mean ModifiedAt?",
        ),
        (
            "modified_at = \"ModifiedAt\"",
            "modified_at = \"ModifiedAt\"\ntime = \"epoch-seconds\"",
            "record.time",
            "write time = \"rfc3339\"",
        ),
        ("next = \"next_cursor\"", "next = \"next_page\"", "paging.next", "there are: data, next_cursor"),
        (
            "parameter = \"cursor\"",
            "parameter = \"cursr\"",
            "paging.parameter",
            "write the parameter by which it is asked for",
        ),
        (
            "size_parameter = \"limit\"",
            "size_parameter = \"lmit\"",
            "paging",
            "write size_parameter = \"lmit\" as the CRM calls it",
        ),
        ("list = \"data\"", "list = \"items\"", "answer.list", "write list = \"data\" in [answer]"),
        (
            "parameter = \"updated_since\"",
            "parameter = \"since\"",
            "incremental.parameter",
            "write the parameter and its value as the CRM has them",
        ),
        (
            "include_deleted = \"true\"",
            "with_deleted = \"true\"",
            "incremental.query",
            "write them as the CRM calls them",
        ),
        (
            "filter[{property}]",
            "where[{property}]",
            "search.parameter",
            "write the parameter as the CRM has it",
        ),
        (
            "path = \"me\"",
            "path = \"whoami\"",
            "user.path",
            "write the path of the call that tells who calls",
        ),
        ("id = \"LineId\"", "id = \"RowId\"", "collections.orders.lines", "there are: "),
        ("email = \"Email\"", "email = \"Mail\"", "collections.users.email", "did you mean Email?"),
        (
            "[errors]",
            "[limits]\nremaining_header = \"X-Left\"\n[errors]",
            "limits.remaining_header",
            "there are: ratelimit",
        ),
    ] {
        shop.declare(&[(from, to)]);
        let ended = shop.check(&[]);
        assert_eq!(ended.code, Some(1), "{to}\n{}\n{}", ended.stdout, ended.stderr);
        let told = ended.line(line);
        assert!(
            told.trim_start().starts_with("wrong ") && told.contains(remedy),
            "{to}: {told}\n{:#?}",
            ended.wrong()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_told_alone() {
    let shop = Shop::open().await;
    std::fs::write(shop.path("crm-token"), "another").unwrap();
    let ended = shop.check(&[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.wrong().len(), 1, "{}", ended.stdout);
    assert!(
        ended.line("authentication.scheme").contains("set a valid secret in the connection's token_file")
    );
    assert!(shop.crm.control.log().iter().all(|call| call.method == "GET"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_property_of_the_pairs_that_no_record_has_is_a_warning() {
    let shop = Shop::open().await;
    shop.declare(&[("path = \"customers\"", "path = \"customers\"\nnames = { Website = \"Site\" }")]);
    let ended = shop.check(&[]);
    assert_eq!(ended.code, Some(0), "{:#?}", ended.wrong());
    let names = ended.line("collections.customers.names");
    assert!(names.trim_start().starts_with("look ") && names.contains("Site"), "{names}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_work_is_refused_before_any_call() {
    let shop = Shop::open().await;
    shop.declare(&[
        ("style = \"cursor\"", "style = \"page\""),
        ("scheme = \"bearer\"", "scheme = \"header\""),
    ]);
    shop.crm.control.clear_log();
    let ended = shop.check(&[]);
    assert_eq!(ended.code, Some(64), "{}", ended.stdout);
    for told in
        ["connection acme: ", "the key \"header\" is missing", "\"next\" says nothing with this style"]
    {
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
    let none = shop.check(&["--connection", "beta"]);
    assert_eq!(none.code, Some(64));
    shop.configure("");
    let none = shop.check(&["--connection", "beta"]);
    assert!(
        none.code == Some(64) && none.stderr.contains("has no connection beta; it has acme"),
        "{}",
        none.stderr
    );
    assert_eq!(shop.crm.control.log(), []);
}
