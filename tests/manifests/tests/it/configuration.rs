//! Each container finds a configuration that its own binary accepts, with the secrets that it needs and no others.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use manifests::{Built, Container, Mounted, OVERLAYS, Template, top};
use servers::package::skipped;
use servers::{Binary, Process, wait_until};
use toml::Table;

/// How long the pod of a service may take to end beyond the grace of its process: what the process adds, its last traces,
/// and a moment.
const BEYOND_THE_GRACE: u64 = 10;

/// What a container runs, as its binary understands its configuration.
fn understood(mounted: &Mounted, container: Container<'_>) -> Result<Table, String> {
    let arguments =
        container.arguments().iter().map(|argument| mounted.relocated(argument)).collect::<Vec<_>>();
    let Output { status, stdout, stderr } = Command::new(Binary::named(container.program()).unwrap().path())
        .env_clear()
        .args(arguments)
        .arg("--print-config")
        .output()
        .unwrap();
    if status.success() {
        Ok(String::from_utf8(stdout).unwrap().parse().unwrap())
    } else {
        Err(String::from_utf8(stderr).unwrap())
    }
}

/// The containers of a build that run our services.
fn services(built: &Built) -> impl Iterator<Item = (String, Template<'_>, Container<'_>)> {
    built.templates().flat_map(move |(document, template)| {
        let containers = template.containers().filter(|container| container.content["name"] == "service");
        containers
            .map(move |container| (format!("{}: {document}", built.overlay.folder), template, container))
    })
}

#[tokio::test]
async fn each_service_accepts_what_is_mounted_into_it() {
    let mut seen = BTreeSet::new();
    for overlay in OVERLAYS {
        let built = match Built::of(overlay).await {
            Ok(built) => built,
            Err(missing) => return skipped(&missing),
        };
        for (name, template, container) in services(&built) {
            let mounted = Mounted::of(&built, template, container);
            let config =
                understood(&mounted, container).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            fits_the_pod(&name, &config, &mounted, template, container);
            seen.insert(container.program().to_owned());
        }
    }
    let all = [
        "collector-customcrm",
        "collector-exactonline",
        "mapper",
        "tandem",
        "writer-customcrm",
        "writer-exactonline",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

/// Ports, the time to end, and where grants are kept.
fn fits_the_pod(
    name: &str,
    config: &Table,
    mounted: &Mounted,
    template: Template<'_>,
    container: Container<'_>,
) {
    let listens = |section: &str| Some(config.get(section)?.get("listen")?.as_str()?.to_owned());
    for (port, number) in container.ports() {
        // Nobody listens for webhooks where no connection has any.
        let listens = listens(&port)
            .or_else(|| (port == "webhooks" && !has_webhooks(config)).then(|| format!("0.0.0.0:{number}")));
        assert_eq!(listens, Some(format!("0.0.0.0:{number}")), "{name}: [{port}] and the port of the pod");
    }
    assert!(container.ports().any(|(port, _)| port == "health"), "{name}");
    let grace = config["shutdown"]["grace_seconds"].as_float().unwrap();
    let pause = container.content["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    let given = template.spec()["terminationGracePeriodSeconds"].as_u64().unwrap();
    let left = Duration::from_secs(given - pause);
    let needed = Duration::from_secs_f64(grace) + Duration::from_secs(BEYOND_THE_GRACE);
    assert!(left >= needed, "{name}: {left:?} for a service that takes {needed:?}");
    for connection in config["connection"].as_array().unwrap() {
        let Some(exact) = connection.get("exactonline") else { continue };
        let grant = exact["grant_file"].as_str().unwrap();
        let lies_in = |mount: &serde_json::Value| {
            let path = mounted.path(mount["mountPath"].as_str().unwrap()).display().to_string();
            let volume = template.volume(mount["name"].as_str().unwrap()).unwrap();
            grant.starts_with(&path)
                && volume.get("persistentVolumeClaim").is_some()
                && mount.get("readOnly").is_none()
        };
        let mounts = container.content["volumeMounts"].as_array().unwrap();
        assert!(mounts.iter().any(lies_in), "{name}: a grant that goes with its pod: {grant}");
    }
}

fn has_webhooks(config: &Table) -> bool {
    let connections = config["connection"].as_array().unwrap();
    connections.iter().any(|connection| {
        ["customcrm", "exactonline"]
            .iter()
            .any(|side| connection.get(side).is_some_and(|side| side.get("webhooks").is_some()))
    })
}

#[tokio::test]
async fn a_missing_secret_is_found() {
    let built = match Built::of(OVERLAYS[2]).await {
        Ok(built) => built,
        Err(missing) => return skipped(&missing),
    };
    let (_, template, container) =
        services(&built).find(|(_, _, container)| container.program() == "writer-exactonline").unwrap();
    let mounted = Mounted::of(&built, template, container);
    fs::remove_file(mounted.path("/run/secrets/tandem/exactonline/acme-client-secret")).unwrap();
    let told = understood(&mounted, container).unwrap_err();
    assert!(told.contains("client_secret_file"), "{told}");
}

#[tokio::test]
async fn a_secret_is_mounted_only_where_it_is_needed() {
    let built = match Built::of(OVERLAYS[2]).await {
        Ok(built) => built,
        Err(missing) => return skipped(&missing),
    };
    for (name, template, container) in services(&built) {
        let mounted = Mounted::of(&built, template, container);
        let secrets: Vec<_> = fs::read_dir(mounted.path("/run/secrets/tandem"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        for secret in secrets {
            let aside = mounted.path("/aside");
            fs::rename(&secret, &aside).unwrap();
            assert!(understood(&mounted, container).is_err(), "{name} does without {}", secret.display());
            fs::rename(&aside, &secret).unwrap();
        }
    }
}

#[tokio::test]
async fn the_example_of_redis_fits_its_configuration() {
    let built = match Built::of(OVERLAYS[2]).await {
        Ok(built) => built,
        Err(missing) => return skipped(&missing),
    };
    let (name, template, container) = services(&built).next().unwrap();
    let mounted = Mounted::of(&built, template, container);
    let text = fs::read_to_string(top().join("deploy/kubernetes/examples/redis/tandem.toml")).unwrap();
    fs::write(mounted.path("/etc/tandem/config/tandem.toml"), mounted.relocated(&text)).unwrap();
    let config = understood(&mounted, container).unwrap_or_else(|problem| panic!("{name}: {problem}"));
    assert_eq!(config["store"]["master"].as_str(), Some("tandem"));
}

#[tokio::test]
async fn the_people_of_the_simulators_start_as_the_manifest_has_them() {
    let built = match Built::of(OVERLAYS[1]).await {
        Ok(built) => built,
        Err(missing) => return skipped(&missing),
    };
    let people = built.templates().find(|(document, _)| document.name() == "people").unwrap().1;
    let container = people.containers().next().unwrap();
    let mounted = Mounted::of(&built, people, container);
    let on_a_free_port = |argument: &String| match argument.split_once("=0.0.0.0:") {
        Some((name, _)) => format!("{name}=127.0.0.1:0"),
        None => mounted.relocated(argument),
    };
    let mut arguments: Vec<String> = container.arguments().iter().map(on_a_free_port).collect();
    arguments.push(format!("--pairs={}", top().join("deploy/pairs").display()));
    let binary = Binary::named("people").unwrap();
    let process = Process::spawn(&binary, arguments, std::iter::empty::<(&str, &str)>()).unwrap();
    let grant = mounted.path("/var/lib/tandem/grants/demo.json");
    wait_until("the consent", Duration::from_secs(20), || {
        fs::read_to_string(&grant).map_err(|error| format!("{error}: {}", process.stderr()))
    });
}

#[tokio::test]
async fn pairs_and_declarations_are_the_files_of_the_tree() {
    let built = match Built::of(OVERLAYS[2]).await {
        Ok(built) => built,
        Err(missing) => return skipped(&missing),
    };
    let (_, template, container) = services(&built).next().unwrap();
    let mounted = Mounted::of(&built, template, container);
    for (mount, folder) in [("pairs", "deploy/pairs"), ("customcrm", "deploy/customcrm")] {
        let files = |folder: &std::path::Path| {
            let toml = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let toml = toml.filter(|path| path.extension().is_some_and(|end| end == "toml"));
            let named =
                toml.map(|path| (path.file_name().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
            named.collect::<std::collections::BTreeMap<_, _>>()
        };
        let (mounted, own) =
            (files(&mounted.path(&format!("/etc/tandem/{mount}"))), files(&top().join(folder)));
        assert!(!own.is_empty() && mounted == own, "{folder}: list each file in its kustomization.yaml");
    }
}
