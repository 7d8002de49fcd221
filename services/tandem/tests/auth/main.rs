//! `tandem auth` as its user runs it: the program itself, a simulated Exact Online, and a browser that is the test.
#![allow(clippy::unwrap_used)]

mod asked;
mod redirects;
mod repairs;
mod shop;

use asked::Asked;
use shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pasted_redirect_becomes_a_grant_in_both_places_and_its_user_and_divisions_are_shown() {
    let shop = Shop::open().await;
    let asked = Asked::on(&shop, &[]);
    let redirect = asked.agree().await;
    let ended = asked.paste(&redirect);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let division = shop.exact.division;
    for told in [
        "User: Connector, who works in division".to_owned(),
        format!("{division}  Company {division}  <- configured"),
        "7  Company 7\n".to_owned(),
        shop.grant_file().display().to_string(),
    ] {
        assert!(ended.stdout.contains(&told), "{told} is missing in\n{}", ended.stdout);
    }
    assert_eq!(ended.stderr, "");

    // No secret was shown, neither as it is nor as it was pasted.
    let filed = shop.filed();
    let text = |name: &str| filed[name].as_str().unwrap().to_owned();
    let code = redirect.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let secrets = [
        text("refresh_token"),
        text("access_token"),
        shop.exact.client_secret.clone(),
        code.replace("%21", "!"),
        code,
    ];
    for secret in secrets {
        assert!(secret.len() > 10 && !ended.stdout.contains(&secret), "a secret was shown");
    }

    // The store alone has it too.
    std::fs::remove_file(shop.grant_file()).unwrap();
    shop.client(shop.stored()).me().await.unwrap();
    assert_eq!(shop.token_calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_alone_may_be_pasted_as_it_stands_in_the_address() {
    let shop = Shop::open().await;
    let asked = Asked::on(&shop, &["--connection", "acme"]);
    let redirect = asked.agree().await;
    let code = redirect.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(code.contains("%21"));
    let ended = asked.paste(&code);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(shop.filed()["refresh_token"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_holds_exactly_what_exact_documents() {
    let shop = Shop::open().await;
    let asked = Asked::on(&shop, &[]);
    let parameters: Vec<(String, String)> = asked.question().query_pairs().into_owned().collect();
    let mut names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["client_id", "force_login", "redirect_uri", "response_type", "state"]);
    let value = |name: &str| parameters.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!(value("client_id"), shop.exact.client_id);
    assert_eq!(value("redirect_uri"), shop.exact.redirect_uri);
    assert_eq!((value("response_type").as_str(), value("force_login").as_str()), ("code", "1"));
    let other = Asked::on(&shop, &[]);
    assert!(asked.state().len() >= 32 && asked.state() != other.state(), "nobody can guess it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_none_of_ours_costs_no_code_and_leaves_no_grant() {
    let shop = Shop::open().await;
    let redirect = &shop.exact.redirect_uri;
    for (pasted, told) in [
        (format!("{redirect}?code=abc&state=of-another"), "its state is another one"),
        (format!("{redirect}?error=access_denied&error_description=No+thanks"), "access_denied: No thanks"),
        ("what shall I paste?".to_owned(), "copy the whole address"),
    ] {
        let ended = Asked::on(&shop, &[]).paste(&pasted);
        assert_eq!(ended.code, Some(1), "{pasted}");
        assert!(
            ended.stderr.contains(told) && ended.stderr.contains("run the command again"),
            "{}",
            ended.stderr
        );
    }
    let ended = Asked::on(&shop, &[]).end_of_input();
    assert!(ended.code == Some(1) && ended.stderr.contains("nothing was pasted"), "{}", ended.stderr);
    assert_eq!(shop.token_calls(), 0);
    assert!(!shop.grant_file().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_was_used_or_is_too_old_is_told_with_what_to_do() {
    let shop = Shop::open().await;
    let asked = Asked::on(&shop, &[]);
    let redirect = asked.agree().await;
    assert_eq!(asked.paste(&redirect).code, Some(0));
    let used = redirect.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let filed = shop.filed();
    let again = Asked::on(&shop, &[]).paste(used);

    let asked = Asked::on(&shop, &[]);
    let redirect = asked.agree().await;
    shop.exact.control().advance_clock(181);
    let late = asked.paste(&redirect);
    for ended in [again, late] {
        assert_eq!(ended.code, Some(1));
        for told in ["a code serves once and for three minutes", "run the command again for a new code"] {
            assert!(ended.stderr.contains(told), "{}", ended.stderr);
        }
        assert!(!ended.stderr.contains("stampNL001"), "{}", ended.stderr);
    }
    assert_eq!(shop.filed(), filed, "the grant that there was stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_division_that_the_grant_does_not_serve_for_is_told_and_is_a_failure() {
    let shop = Shop::open().await;
    for (division, told) in [(8, "User division is not within division scope"), (99, "status 403")] {
        shop.configure(&[&format!("division = {division}")]);
        let asked = Asked::on(&shop, &[]);
        let redirect = asked.agree().await;
        let ended = asked.paste(&redirect);
        assert_eq!(ended.code, Some(1));
        let warning = format!("does not serve for division {division} of connection acme");
        assert!(ended.stderr.contains(&warning) && ended.stderr.contains(told), "{}", ended.stderr);
        let offered = format!("{0}  Company {0}\n", shop.exact.division);
        assert!(ended.stdout.contains(&offered), "{}", ended.stdout);
        assert!(shop.filed()["refresh_token"].is_string(), "the grant is kept all the same");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_asked_is_refused_before_anybody_is_asked() {
    let shop = Shop::open().await;
    let refused = |arguments: &[&str], told: &str| {
        let ended = asked::refused(&shop, arguments);
        assert_eq!(ended.code, Some(64), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(told) && !ended.stdout.contains("http"),
            "{} {}",
            ended.stdout,
            ended.stderr
        );
    };
    refused(&["--connection", "beta"], "has no connection beta; it has acme");
    refused(&["--connection", "Beta!"], "may not contain");
    shop.configure(&["division = 7", "redirect_uri = \"http://app.example/back\""]);
    refused(&[], "is not over TLS");
    shop.configure(&["no redirect"]);
    refused(&[], "connection acme has no redirect_uri; add to its [connection.exactonline]");
    shop.configure(&["another connection"]);
    refused(&[], "has several connections; name one with --connection: acme, beta");
    shop.configure(&["division = \"seven\""]);
    refused(&[], "acme.exactonline.division");
    let ended = asked::refused_at(&shop, "customcrm");
    assert!(ended.code == Some(64) && ended.stderr.contains("exactonline"), "{}", ended.stderr);
}
