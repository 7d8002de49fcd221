//! The images that can be built, and what a linter has to say about how.

use std::collections::BTreeSet;
use std::fs;

use manifests::{hadolint, top};
use servers::Binary;
use servers::package::skipped;

/// Stages that others are built on.
const STAGES: [&str; 2] = ["build", "image"];

fn lines() -> Vec<String> {
    let text = fs::read_to_string(top().join("deploy/docker/Dockerfile")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The targets that are images.
pub(crate) fn targets() -> BTreeSet<String> {
    let stages = lines()
        .iter()
        .filter_map(|line| Some(line.split_once(" AS ")?.1.to_owned()))
        .collect::<BTreeSet<_>>();
    stages.into_iter().filter(|stage| !STAGES.contains(&stage.as_str())).collect()
}

#[test]
fn each_target_runs_the_binary_that_it_is_called_after() {
    let lines = lines();
    let targets = targets();
    assert_eq!(targets.len(), 7);
    for target in &targets {
        assert!(Binary::named(target).is_ok(), "no binary of this workspace is called {target}");
        for line in [
            format!("COPY --from=build /out/{target} /usr/local/bin/"),
            format!("ENTRYPOINT [\"/usr/local/bin/{target}\"]"),
        ] {
            assert!(lines.contains(&line), "{line}");
        }
    }
}

#[test]
fn builds_are_repeatable_and_speak_tls() {
    let text = lines().join("\n");
    assert!(
        text.contains("cargo auditable build --locked --profile \"$PROFILE\""),
        "the lock file says what is built"
    );
    assert!(text.contains("--features broker/tls,store/tls"), "RabbitMQ and Redis may be across a network");
    assert!(text.contains("\nFROM scratch AS image\n") && text.contains("\nUSER 65532:65532\n"));
}

#[tokio::test]
async fn the_dockerfile_passes_its_linter() {
    let hadolint = match hadolint().await {
        Ok(hadolint) => hadolint,
        Err(missing) => return skipped(&missing),
    };
    let output = tokio::process::Command::new(hadolint)
        .arg(top().join("deploy/docker/Dockerfile"))
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
