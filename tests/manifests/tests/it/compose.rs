//! The Compose file: what it mounts is there, what it publishes is documented, and what its services find is accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use manifests::{compose, top};
use serde_json::Value;
use servers::Binary;
use servers::package::skipped;

/// The longest that a service of ours takes to end: its grace, and what its process adds.
const ENDS_WITHIN_SECONDS: u64 = 25;

/// The file as Compose reads it, beside others; `None` where Compose can't be had.
async fn read(files: &[&str]) -> Option<Value> {
    let program = match compose().await {
        Ok(program) => program,
        Err(missing) => {
            skipped(&missing);
            return None;
        }
    };
    let mut command = tokio::process::Command::new(program);
    command.current_dir(top()).env_clear();
    for file in files {
        command.args(["-f", file]);
    }
    let output = command.args(["--profile", "*", "config", "--format", "json"]).output().await.unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn services(file: &Value) -> impl Iterator<Item = (&str, &Value)> {
    file["services"].as_object().unwrap().iter().map(|(name, service)| (name.as_str(), service))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Where each of its volumes comes from, by where it is mounted.
fn mounts<'a>(service: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a str> {
    let of_kind = list(service, "volumes").iter().filter(|volume| volume["type"] == kind);
    of_kind.map(|volume| (volume["target"].as_str().unwrap(), volume["source"].as_str().unwrap())).collect()
}

/// What `deploy/compose/secrets.sh` makes, with something that may stand there.
fn secrets(volume: &str) -> BTreeMap<&'static str, &'static str> {
    let script = fs::read_to_string(top().join("deploy/compose/secrets.sh")).unwrap();
    let known = [
        ("broker", "url", "amqp://tandem:none@rabbitmq:5672/%2f"),
        ("store", "url", "redis://:none@redis:6379"),
        ("customcrm", "demo-token", "none"),
        ("exactonline", "demo-client-secret", "none"),
    ];
    let here = known.into_iter().filter(|(of, ..)| *of == volume);
    here.map(|(of, name, value)| {
        assert!(script.contains(&format!("keep /volumes/{of}/{name} ")), "nobody makes {name}");
        (name, value)
    })
    .collect()
}

#[tokio::test]
async fn whatever_is_mounted_is_there() {
    let Some(file) = read(&["docker-compose.yml"]).await else { return };
    for (name, service) in services(&file) {
        for source in mounts(service, "bind").values() {
            let source = Path::new(source).strip_prefix(top()).unwrap();
            assert!(top().join(source).exists(), "{name} mounts {}: it is not there", source.display());
        }
    }
}

#[tokio::test]
async fn ports_are_of_this_machine_alone_and_documented() {
    let Some(file) = read(&["docker-compose.yml"]).await else { return };
    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    let mut published = BTreeSet::new();
    for (name, service) in services(&file) {
        for port in list(service, "ports") {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name}");
            published.insert(port["published"].as_str().unwrap().to_owned());
        }
    }
    let section = readme.split("\n### Containers\n").nth(1).expect("a section on containers");
    let section = section.split("\n#").next().unwrap();
    let words = section.split(|letter: char| !letter.is_ascii_alphanumeric() && !":/.".contains(letter));
    let documented: BTreeSet<String> = words
        .filter_map(|word| word.strip_prefix("http://127.0.0.1:"))
        .map(|rest| rest.split('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(documented, published);
}

#[tokio::test]
async fn each_service_accepts_what_it_finds() {
    let Some(file) = read(&["docker-compose.yml"]).await else { return };
    let mut seen = 0;
    for (name, service) in services(&file) {
        if !service["image"].as_str().unwrap().starts_with("tandem/") || ["people", "tandem"].contains(&name)
        {
            continue;
        }
        seen += 1;
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path.trim_start_matches('/'));
        let relocated = |text: &str| {
            ["/etc/tandem", "/run/secrets", "/var/lib/tandem"]
                .iter()
                .fold(text.to_owned(), |text, path| text.replace(path, at(path).to_str().unwrap()))
        };
        let copy = |from: &Path, to: &Path| {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, relocated(&fs::read_to_string(from).unwrap())).unwrap();
        };
        for (target, source) in mounts(service, "bind") {
            let source = Path::new(source);
            if source.is_file() {
                copy(source, &at(target));
            } else {
                for entry in fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path()) {
                    copy(&entry, &at(target).join(entry.file_name().unwrap()));
                }
            }
        }
        for (target, volume) in mounts(service, "volume") {
            fs::create_dir_all(at(target)).unwrap();
            for (file, value) in secrets(volume) {
                fs::write(at(target).join(file), value).unwrap();
            }
        }
        let output = Command::new(Binary::named(name).unwrap().path())
            .env_clear()
            .env("TANDEM_CONFIG", at("/etc/tandem/config/tandem.toml"))
            .arg("--print-config")
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let config: toml::Table = String::from_utf8(output.stdout).unwrap().parse().unwrap();
        assert_eq!(
            config["health"]["listen"].as_str(),
            Some("0.0.0.0:8080"),
            "{name}: Prometheus and its probe find it"
        );
    }
    assert_eq!(seen, 5);
}

#[tokio::test]
async fn our_services_run_without_rights_and_wait_for_what_they_need() {
    let Some(file) = read(&["docker-compose.yml"]).await else { return };
    let targets = crate::dockerfile::targets();
    for (name, service) in services(&file) {
        let Some(image) = service["image"].as_str().unwrap().strip_prefix("tandem/") else { continue };
        let target = image.split(':').next().unwrap();
        assert!(
            name == target && targets.contains(target) && service["build"]["target"] == target,
            "{name}: {image}"
        );
        assert!(service["read_only"] == true && service["user"] == "65532:65532", "{name}");
        assert!(service["cap_drop"] == serde_json::json!(["ALL"]), "{name}");
        let grace =
            service["stop_grace_period"].as_str().unwrap().trim_end_matches('s').parse::<u64>().unwrap();
        assert!(grace > ENDS_WITHIN_SECONDS, "{name}");
        if ["people", "tandem"].contains(&name) {
            continue;
        }
        let waits_for = service["depends_on"].as_object().unwrap();
        for (server, condition) in [
            ("rabbitmq", "service_healthy"),
            ("redis", "service_healthy"),
            ("secrets", "service_completed_successfully"),
        ] {
            assert_eq!(waits_for[server]["condition"], condition, "{name} and {server}");
        }
        let calls = name != "mapper";
        assert_eq!(waits_for.contains_key("systems"), calls, "{name}");
    }
}

#[tokio::test]
async fn with_real_systems_nothing_is_left_of_the_simulators() {
    let Some(file) = read(&["docker-compose.yml", "deploy/compose/real.yml"]).await else { return };
    for (name, service) in services(&file) {
        let is_simulated = ["people", "systems"].contains(&name);
        assert_eq!(list(service, "profiles") == ["simulators"], is_simulated, "{name}");
        if is_simulated || !service["image"].as_str().unwrap().starts_with("tandem/") {
            continue;
        }
        let depends = service["depends_on"].as_object().into_iter().flatten();
        let waits_for: Vec<&str> = depends.map(|(name, _)| name.as_str()).collect();
        assert!(!waits_for.contains(&"systems"), "{name} waits for what does not start");
        assert!(
            service["environment"].get("SSL_CERT_FILE").is_none(),
            "{name} trusts the authority of the simulators"
        );
        let from = mounts(service, "bind");
        assert!(from["/etc/tandem/connections"].ends_with("/connections"), "{name}");
        assert!(!from["/etc/tandem/connections"].contains("deploy"), "{name} keeps the simulators");
        let secrets = ["customcrm", "exactonline"].map(|system| format!("/run/secrets/tandem/{system}"));
        let simulated = mounts(service, "volume");
        assert!(
            secrets.iter().all(|path| !simulated.contains_key(path.as_str())),
            "{name} has secrets of the simulators"
        );
    }
}
