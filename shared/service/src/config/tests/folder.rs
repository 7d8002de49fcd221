//! Connections with a file each, in a folder.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// What a connection's own file holds.
const GAMMA: &str = r#"
reading = "literal"
literal = { account = "0a1b2c3d-0000-4000-8000-000000000001" }

[customcrm]
url = "https://gamma.example.com/api/v1"
token_file = "gamma-token"

[exactonline]
url = "https://start.exactonline.nl"
division = 3
client_id = "app"
client_secret_file = "../exact-secret"
grant_file = "gamma-grant"
"#;

/// The folder of [`super::folder`], with a folder of connections in it and these files in that.
fn with_files(files: &[(&str, &str)]) -> TempDir {
    let folder = folder();
    let connections = folder.path().join("connections");
    fs::create_dir(&connections).unwrap();
    fs::write(connections.join("gamma-token"), "hidden-gamma").unwrap();
    for (name, text) in files {
        fs::write(connections.join(name), text).unwrap();
    }
    folder
}

/// [`FULL`] with a folder beside its connections.
fn full() -> String {
    format!("connections = \"connections\"\n{FULL}")
}

fn names(config: &Config) -> Vec<&str> {
    config.connections.iter().map(|connection| connection.name.as_str()).collect()
}

/// What is wrong in this folder, one problem a line, the folder's own path left out.
#[track_caller]
fn told(folder: &TempDir, text: &str, needs: Needs) -> String {
    let Err(error) = load(folder.path(), text, needs) else { panic!("it was not refused:\n{text}") };
    let ServiceError::Configuration(problems) = error else { panic!("{error}") };
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n").replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_file_of_the_folder_is_a_connection_by_its_name_and_its_paths_begin_there() {
    let folder = with_files(&[("gamma.toml", GAMMA), ("delta-2.toml", "")]);
    let alone = load(folder.path(), "connections = \"connections\"", NONE).unwrap();
    assert_eq!(names(&alone), ["delta-2", "gamma"]);

    fs::remove_file(folder.path().join("connections/delta-2.toml")).unwrap();
    let config = load(folder.path(), &full(), ALL).unwrap();
    assert_eq!(names(&config), ["acme", "beta", "gamma"]);
    let gamma = &config.connections[2];
    let file = folder.path().join("connections/gamma.toml");
    assert_eq!((gamma.file.as_ref(), config.connections[0].file.as_ref()), (Some(&file), None));
    assert_eq!((gamma.reading, gamma.literal.account.is_some()), (Reading::Literal, true));
    let (crm, exact) = (gamma.customcrm.as_ref().unwrap(), gamma.exactonline.as_ref().unwrap());
    assert_eq!(crm.token.expose_secret(), "hidden-gamma");
    assert_eq!(exact.client_secret.expose_secret(), "hidden-secret");
    assert_eq!(exact.grant_file, folder.path().join("connections/gamma-grant"));
    let file = folder.path().join("tandem.toml");
    let command = format!("tandem auth exactonline --config {} --connection gamma", file.display());
    assert_eq!(exact.consent_command, command);

    let printed = config.to_toml();
    assert!(!printed.contains("hidden") && printed.contains("name = \"gamma\""), "{printed}");
    let again = load(folder.path(), &printed, ALL).unwrap();
    assert_eq!((again.to_toml(), names(&again)), (printed, names(&config)));
}

/// Kubernetes mounts a folder so: each name is a link through `..data` to the version that is in force.
#[test]
fn what_is_hidden_or_is_called_otherwise_is_no_connection() {
    let broken = b"b0VIM \xff\xfe";
    let folder =
        with_files(&[("README.md", "# Connections"), ("acme.toml.off", "x ="), ("acme.toml~", "x =")]);
    let connections = folder.path().join("connections");
    fs::write(connections.join(".gamma.toml.swp"), broken).unwrap();
    fs::write(connections.join(".hidden.toml"), broken).unwrap();
    symlink("robin@host.1234", connections.join(".#gamma.toml")).unwrap();
    fs::create_dir(connections.join("..2024_01_01")).unwrap();
    fs::write(connections.join("..2024_01_01/gamma.toml"), GAMMA).unwrap();
    symlink("..2024_01_01", connections.join("..data")).unwrap();
    symlink("..data/gamma.toml", connections.join("gamma.toml")).unwrap();
    let config = load(folder.path(), &full(), ALL).unwrap();
    assert_eq!(names(&config), ["acme", "beta", "gamma"]);
}

#[test]
fn all_problems_of_all_files_are_told_at_once_each_with_its_file() {
    let broken = GAMMA
        .replace("https://gamma.example.com", "http://gamma.example.com")
        .replace("division = 3", "division = 2\ndivison = 3")
        .replace("gamma-grant", "../grant");
    let files = [
        ("Beta.toml", "[customcrm]\nurl = 7\n[exactonline]\n"),
        ("acme.toml", "reading = \"Literal\"\n"),
        ("gamma.toml", broken.as_str()),
        ("misplaced.toml", "[[connection]]\nname = \"misplaced\"\nhidden = 1\n"),
        ("named.toml", "name = \"other\"\n[customcrm]\n"),
        ("no-toml.toml", "x = \n"),
    ];
    let folder = with_files(&files);
    let connections = folder.path().join("connections");
    fs::create_dir(connections.join("folder.toml")).unwrap();
    symlink("nowhere", connections.join("lost.toml")).unwrap();
    fs::write(connections.join("binary.toml"), b"\xff\xfe").unwrap();
    let needs = Needs { exactonline: false, ..ALL };
    let told = told(&folder, &full().replace("0.0.0.0:9002", "9002"), needs);
    assert!(!told.contains("hidden"), "{told}");
    let away = "put a file there that this user may read, or take it away";
    let expected = format!(
        r#"tandem.toml:10: webhooks.listen = "9002": is not an address with a port; write it as "0.0.0.0:8081"
connections/Beta.toml: name = "Beta": a connection name may not contain 'B'; use lower-case letters, digits and hyphens; rename the file as acme.toml or acme-2.toml
connections/Beta.toml:1: customcrm.token_file: is missing; add token_file = "/run/secrets/...", the file that holds the secret
connections/Beta.toml:2: customcrm.url: is of the kind integer; write a text in quotes
connections/Beta.toml:3: exactonline.url: is missing; add url = "https://start.exactonline.nl"
connections/Beta.toml:3: exactonline.division: is missing; add division = 123456, the number of the division
connections/Beta.toml:3: exactonline.client_id: is missing; add client_id = "...", the id of your app at Exact
connections/Beta.toml:3: exactonline.client_secret_file: is missing; add client_secret_file = "/run/secrets/...", the file that holds the secret
connections/Beta.toml:3: exactonline.grant_file: is missing; add grant_file = "/var/lib/tandem/grant", where the refresh token is kept
connections/acme.toml: name = "acme": is the name of a connection in tandem.toml; rename one of them
connections/acme.toml:1: customcrm: is missing; add a section [customcrm]
connections/acme.toml:1: reading = "Literal": is no reading of the pair files; write "practical" or "literal"
connections/binary.toml: cannot be read: stream did not contain valid UTF-8; {away}
connections/folder.toml: is no file; {away}
connections/gamma.toml:6: customcrm.url = "http://gamma.example.com/api/v1": would send the token in the clear; write https://; http:// is for this machine's own 127.0.0.1 and localhost
connections/gamma.toml:11: exactonline.division = 2: is the division of connection.beta.exactonline.division in tandem.toml; give each connection a division of its own
connections/gamma.toml:12: exactonline.divison: is not a known key; did you mean division?
connections/gamma.toml:15: exactonline.grant_file = "../grant": is the file of connection.acme.exactonline.grant_file in tandem.toml, and each refresh token serves once; give each connection a file of its own
connections/lost.toml: cannot be read: No such file or directory (os error 2); {away}
connections/misplaced.toml:1: connection: stands in a file that is one connection; write its keys at the top of the file, and [customcrm] in place of [connection.customcrm]
connections/named.toml:1: name = "other": is given by the name of the file; leave it out, or rename the file
connections/named.toml:2: customcrm.url: is missing; add url = "https://crm.example.com/api/v1"
connections/named.toml:2: customcrm.token_file: is missing; add token_file = "/run/secrets/...", the file that holds the secret
connections/no-toml.toml:1: string values must be quoted, expected literal string; write it as TOML"#
    );
    assert_eq!(told, expected, "\n--- told:\n{told}\n--- expected:\n{expected}");
}

#[test]
fn a_folder_that_gives_no_connection_is_refused_with_what_to_do() {
    let folder = with_files(&[("README.md", "none yet")]);
    for (text, expected) in [
        (
            "connections = \"connections\"\n",
            "tandem.toml:1: connections = \"connections\": connections holds no connection (*.toml); put a file for each connection there, or leave this key out",
        ),
        (
            "connections = \"nowhere\"\n",
            "tandem.toml:1: connections = \"nowhere\": nowhere cannot be read: No such file or directory (os error 2); name the folder that holds a file for each connection",
        ),
        ("connections = 1\n", "tandem.toml:1: connections: is of the kind integer; write a text in quotes"),
    ] {
        assert_eq!(told(&folder, text, NONE), expected);
    }
}

#[test]
fn a_file_that_this_user_may_not_read_is_told() {
    let folder = with_files(&[("gamma.toml", GAMMA)]);
    let file = folder.path().join("connections/gamma.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_ok() {
        // Nothing is kept from a superuser.
        return;
    }
    let told = told(&folder, "connections = \"connections\"\n", NONE);
    assert_eq!(
        told,
        "connections/gamma.toml: cannot be read: Permission denied (os error 13); put a file there that this user may read, or take it away"
    );
}

#[test]
fn what_is_of_one_connection_is_so_between_the_files_of_the_folder_too() {
    let hooks = "[customcrm.webhooks]\nurl = \"https://sync.example.com/crm/acme\"\nsecret_file = \"../crm-webhook\"\n";
    let other = GAMMA
        .replace("\n[exactonline]", &format!("\n{hooks}\n[exactonline]"))
        .replace("division = 3", "division = 4")
        .replace("gamma-grant", "./gamma-grant");
    let folder = with_files(&[("gamma.toml", GAMMA), ("other.toml", &other)]);
    let expected = "connections/other.toml:10: customcrm.webhooks.url = \"https://sync.example.com/crm/acme\": has the path of connection.acme.customcrm.webhooks.url in tandem.toml; give each connection and system a path of its own\n\
        connections/other.toml:18: exactonline.grant_file = \"./gamma-grant\": is the file of exactonline.grant_file in connections/gamma.toml, and each refresh token serves once; give each connection a file of its own";
    assert_eq!(told(&folder, &full(), ALL), expected);
}
