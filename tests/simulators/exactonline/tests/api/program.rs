use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

#[tokio::test]
async fn the_program_tells_where_it_is_in_one_line_and_stops_when_told_to() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_simulator-exactonline"))
        .args(["--division", "42", "--client-id", "me", "--client-secret", "hush"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let fields = [
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", text("refresh_token")),
        ("client_id", "me".to_owned()),
        ("client_secret", "hush".to_owned()),
    ];
    let http = reqwest::Client::new();
    let tokens =
        http.post(format!("{}/api/oauth2/token", text("base_url"))).form(&fields).send().await.unwrap();
    assert_eq!(tokens.status(), 200);
    let users = http
        .get(format!("{}/api/v1/42/users/Users", text("base_url")))
        .bearer_auth(text("human_token"))
        .header("Accept", "application/json");
    assert_eq!(users.send().await.unwrap().status(), 200);
    let counts = http.get(format!("{}/control/counts", text("control_url"))).send().await.unwrap();
    assert_eq!(counts.status(), 200);
    // Idle connections end at once; with the client gone there are none.
    drop(http);
    Command::new("kill").args(["-TERM", &program.id().to_string()]).status().unwrap();
    assert!(program.wait().unwrap().success());
}
