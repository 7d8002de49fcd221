//! What counts as another connection, and what waits for a restart.

use std::collections::BTreeSet;

use super::*;
use crate::config::Changes;

fn names(names: &[&str]) -> BTreeSet<ConnectionName> {
    names.iter().map(|name| ConnectionName::parse(name).unwrap()).collect()
}

/// What is different after `change` in [`FULL`].
#[track_caller]
fn after(change: impl FnOnce(&Path, String) -> String) -> (Changes, Vec<&'static str>) {
    let folder = folder();
    fs::write(folder.path().join("crm.toml"), "crm = \"Other\"").unwrap();
    let text = FULL.replace(
        "token_file = \"crm-token\"\npoll",
        "token_file = \"crm-token\"\ndeclaration = \"crm.toml\"\npoll",
    );
    let before = load(folder.path(), &text, ALL).unwrap();
    let text = change(folder.path(), text);
    let after = load(folder.path(), &text, ALL).unwrap();
    let (merged, waiting) = before.with_connections_of(after.clone());
    assert_eq!(before.changes(&merged), before.changes(&after), "they come into force");
    (before.changes(&merged), waiting)
}

#[test]
fn what_is_written_otherwise_and_means_the_same_is_no_difference() {
    let (changes, waiting) = after(|folder, text| {
        fs::write(folder.join("crm-token"), "  hidden-token  \n").unwrap();
        fs::write(folder.join("grant"), "a newer grant").unwrap();
        fs::write(folder.join("other-amqp"), "amqp://tandem:hidden-amqp@rabbit:5672/vhost").unwrap();
        let text = text.replace("url_file = \"amqp\"", "url_file = \"other-amqp\"");
        let text = text.replace("https://start.exactonline.nl", "https://start.exactonline.nl/");
        format!("# Said anew.\n{text}").replace("calls_per_day = 1_000", "calls_per_day = 1000")
    });
    assert_eq!((changes, waiting), (Changes::default(), Vec::new()));
}

#[test]
fn a_connection_is_another_one_when_anything_of_it_is_a_secret_in_a_file_among_that() {
    let written = |from: &'static str, to: &'static str| {
        let (changes, waiting) = after(|_, text| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        assert_eq!(waiting, Vec::<&str>::new(), "{from}");
        assert!(changes.added.is_empty() && changes.removed.is_empty(), "{from}: {changes:?}");
        changes.changed
    };
    for (from, to) in [
        ("https://crm.example.com/api/v1", "https://crm.example.com/api/v2"),
        ("poll_seconds = 0.5", "poll_seconds = 0.6"),
        ("calls_per_minute = 300", "calls_per_minute = 301"),
        ("token_file = \"crm-token\"", "user = \"x\"\ntoken_file = \"crm-token\""),
        ("token_file = \"crm-token\"", "client_secret_file = \"amqp\"\ntoken_file = \"crm-token\""),
        ("declaration = \"crm.toml\"\n", ""),
        ("https://sync.example.com/crm/acme", "https://sync.example.com/crm/acme-2"),
        ("http://127.0.0.1:5001", "http://127.0.0.1:5002"),
        ("division = 123456", "division = 123457"),
        ("client_id = \"app\"", "client_id = \"app-2\""),
        ("grant_file = \"grant\"", "grant_file = \"grant-2\""),
        ("https://sync.example.com/exact/acme", "https://sync.example.com/exact/acme-2"),
        ("poll_seconds = 900", "poll_seconds = 901"),
        ("redirect_uri", "poll_seconds = 12\ncalls_per_minute = 7\nredirect_uri"),
    ] {
        assert_eq!(written(from, to), names(&["acme"]), "{from}");
    }
    for (from, to) in [
        ("reading = \"literal\"", "reading = \"practical\""),
        ("test = true", "test = false"),
        ("0a1b2c3d-0000-4000-8000-000000000002", "0a1b2c3d-0000-4000-8000-000000000003"),
        ("calls_per_day = 1_000", "calls_per_day = 1_001"),
    ] {
        assert_eq!(written(from, to), names(&["beta"]), "{from}");
    }
    for (file, changed) in [
        ("crm-token", names(&["acme", "beta"])),
        ("exact-secret", names(&["acme", "beta"])),
        ("webhook-secret", names(&["acme"])),
        ("crm-webhook", names(&["acme"])),
        ("crm.toml", names(&["acme"])),
    ] {
        let (changes, _) = after(|folder, text| {
            fs::write(folder.join(file), "hidden-and-new").unwrap();
            text
        });
        assert_eq!(changes.changed, changed, "{file}");
        assert!(!format!("{changes:?}").contains("hidden"));
    }
}

#[test]
fn connections_come_and_go_and_where_one_stands_does_not_matter() {
    let (changes, waiting) = after(|folder, text| {
        let (rest, beta) = text.split_once("[[connection]]\nname = \"beta\"\n").unwrap();
        let (shared, _acme) = rest.split_once("[[connection]]").unwrap();
        let own = beta.replace("[connection.", "[").replace("\"crm-token\"", "\"../crm-token\"");
        let own = own
            .replace("\"exact-secret\"", "\"../exact-secret\"")
            .replace("\"grant-of-beta\"", "\"../grant-of-beta\"");
        fs::create_dir(folder.join("connections")).unwrap();
        fs::write(folder.join("connections/beta.toml"), &own).unwrap();
        let gamma = own.replace("division = 2", "division = 3").replace("grant-of-beta", "grant-of-gamma");
        fs::write(folder.join("connections/gamma.toml"), gamma).unwrap();
        format!("connections = \"connections\"\n{shared}")
    });
    assert_eq!((&changes.added, &changes.removed), (&names(&["gamma"]), &names(&["acme"])));
    // Its grant is in the same file, which is called otherwise here.
    assert_eq!((changes.changed, waiting), (names(&["beta"]), Vec::new()));
}

#[test]
fn what_can_t_change_while_running_is_told_by_name_and_stays() {
    for (from, to, key) in [
        ("namespace = \"tandem-test\"", "namespace = \"other\"", "namespace"),
        ("pairs = \"deploy/pairs\"", "pairs = \"deploy\"", "pairs"),
        ("127.0.0.1:9001", "127.0.0.1:9101", "health.listen"),
        ("0.0.0.0:9002", "0.0.0.0:9102", "webhooks.listen"),
        ("info,lapin=warn", "debug", "log.filter"),
        ("format = \"text\"", "format = \"json\"", "log.format"),
        ("http://collector:4318", "http://collector:4319", "telemetry"),
        ("url = \"redis://redis:6379/1\"", "url = \"redis://redis:6379/2\"", "store"),
        ("grace_seconds = 7", "grace_seconds = 8", "shutdown.grace_seconds"),
    ] {
        let (changes, waiting) = after(|_, text| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        assert_eq!((changes, waiting), (Changes::default(), vec![key]), "{from}");
    }
    let (_, waiting) = after(|folder, text| {
        fs::write(folder.join("amqp"), "amqp://tandem:hidden-new@rabbit:5672/vhost").unwrap();
        text
    });
    assert_eq!(waiting, ["broker"]);
    let written = "url = \"redis://redis:6379/1\"";
    let sentinels = "sentinels = [\"a:1\"]\nmaster = \"m\"\npassword_file = \"exact-secret\"\nsentinel_password_file = \"crm-token\"";
    let cluster = "cluster = [\"a:1\"]\npassword_file = \"exact-secret\"";
    for (before, after) in [
        (written, sentinels.to_owned()),
        (sentinels, cluster.to_owned()),
        (sentinels, sentinels.replace("a:1", "b:1")),
        (sentinels, sentinels.replace("\"m\"", "\"n\"")),
        (sentinels, format!("{sentinels}\ndatabase = 1")),
        (sentinels, sentinels.replace("exact-secret", "crm-token")),
        (sentinels, sentinels.replace("crm-token", "exact-secret")),
        (cluster, cluster.replace("a:1", "b:1")),
        (cluster, cluster.replace("exact-secret", "crm-token")),
        (cluster, format!("{cluster}\nuser = \"x\"")),
    ] {
        let folder = folder();
        let store = |text: &str| load(folder.path(), &FULL.replace(written, text), ALL).unwrap();
        let (before, after) = (store(before), store(&after));
        assert_eq!(before.with_connections_of(after.clone()).1, ["store"], "{:?}", after.store);
        assert_eq!(after.with_connections_of(after.clone()).1, Vec::<&str>::new());
    }
}

#[test]
fn the_port_for_webhooks_is_taken_over_when_the_first_connection_has_some() {
    let folder = folder();
    let none = with_webhooks("").replace("[connection.exactonline.webhooks]\n", "");
    let none = none.replace("[connection.customcrm.webhooks]\nurl = \"https://sync.example.com/crm/acme\"\nsecret_file = \"crm-webhook\"", "");
    let without = load(folder.path(), &none, ALL).unwrap();
    let with = load(folder.path(), FULL, ALL).unwrap();
    assert_eq!(without.webhooks_listen, None);
    let (merged, waiting) = without.with_connections_of(with.clone());
    assert_eq!((merged.webhooks_listen, waiting), (with.webhooks_listen, vec![]));
    assert!(
        merged.is_posted_to("/crm/acme")
            && merged.is_posted_to("/exact/acme")
            && !merged.is_posted_to("/crm")
    );
    let (merged, waiting) = with.with_connections_of(without);
    assert_eq!((merged.webhooks_listen, waiting), (with.webhooks_listen, vec![]), "the port stays open");
    assert!(!merged.is_posted_to("/crm/acme"));
}
