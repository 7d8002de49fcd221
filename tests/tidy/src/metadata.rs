use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// A crate of this workspace.
pub(crate) struct Ours {
    pub(crate) name: String,
    /// Relative to the top of the tree.
    pub(crate) folder: PathBuf,
    /// The crates of this workspace that it is built from; not those that only its tests use.
    pub(crate) uses: BTreeSet<String>,
    /// The root files of its library and binaries, relative to the top of the tree.
    pub(crate) roots: Vec<PathBuf>,
}

/// The crates of this workspace.
pub(crate) fn ours() -> &'static [Ours] {
    static OURS: OnceLock<Vec<Ours>> = OnceLock::new();
    OURS.get_or_init(|| {
        let metadata = cargo(&["--no-deps"]);
        let packages = list(&metadata["packages"]);
        let names: BTreeSet<&str> = packages.iter().map(|package| text(&package["name"])).collect();
        packages.iter().map(|package| our_crate(package, &names)).collect()
    })
}

fn our_crate(package: &Value, names: &BTreeSet<&str>) -> Ours {
    let manifest = Path::new(text(&package["manifest_path"]));
    Ours {
        name: text(&package["name"]).to_owned(),
        folder: relative(manifest.parent().unwrap()),
        uses: list(&package["dependencies"])
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .filter(|name| names.contains(name))
            .map(str::to_owned)
            .collect(),
        roots: list(&package["targets"])
            .iter()
            .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "lib" || kind == "bin"))
            .map(|target| relative(Path::new(text(&target["src_path"]))))
            .collect(),
    }
}

/// The shortest chain of crates, ours and the world's, from `from` to `to` through dependencies that are built into
/// it (not those of tests), or `None`. Features are those of the whole workspace, so a chain may be one that only
/// another crate switches on; that one is worth knowing too.
pub(crate) fn chain(from: &str, to: &str) -> Option<Vec<String>> {
    let graph = graph();
    assert!(graph.contains_key(from), "{from} is no crate of this graph");
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([from]);
    while let Some(name) = queue.pop_front() {
        if name == to {
            let mut chain = vec![name.to_owned()];
            let mut at = name;
            while let Some(previous) = before.get(at) {
                chain.insert(0, (*previous).to_owned());
                at = previous;
            }
            return Some(chain);
        }
        for used in &graph[name] {
            if used != from && !before.contains_key(used.as_str()) {
                before.insert(used, name);
                queue.push_back(used);
            }
        }
    }
    None
}

/// Name -> names, versions of one crate taken together.
fn graph() -> &'static BTreeMap<String, BTreeSet<String>> {
    static GRAPH: OnceLock<BTreeMap<String, BTreeSet<String>>> = OnceLock::new();
    GRAPH.get_or_init(|| {
        let metadata = cargo(&["--filter-platform", "x86_64-unknown-linux-gnu"]);
        let names: BTreeMap<&str, &str> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let uses = list(&node["deps"])
                .iter()
                .filter(|dependency| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()))
                .map(|dependency| names[text(&dependency["pkg"])].to_owned());
            graph.entry(names[text(&node["id"])].to_owned()).or_default().extend(uses);
        }
        graph
    })
}

/// The top of the tree.
pub(crate) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn relative(path: &Path) -> PathBuf {
    path.strip_prefix(top()).unwrap_or(path).to_owned()
}

/// What `cargo metadata` says. Nothing is loaded from the network: to run this test, all of it had to be there.
fn cargo(arguments: &[&str]) -> Value {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .current_dir(top())
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(arguments)
        .output()
        .expect("cargo can be run, for it runs this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
