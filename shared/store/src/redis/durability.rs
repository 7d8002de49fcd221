//! Whether servers keep what they acknowledge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::redis::{ErrorKind, cmd};
use futures_util::future::join_all;

use super::node::{Failure, MIN_REPLICAS, Node, is_passing, wanted_replicas};
use crate::Durability;

/// Revisions and tokens come from the servers' clocks. They rise over a fail-over as long as the clocks differ by less
/// than a fail-over takes.
const CLOCKS_DIFFER: Duration = Duration::from_millis(500);

/// A master, and the replicas that may take its place.
pub(super) struct Replicated {
    pub(super) master: Node,
    pub(super) replicas: Vec<Node>,
    /// Whether a replica takes the place of the master by itself.
    pub(super) fails_over: bool,
}

/// What is known of one server.
struct Looked {
    name: String,
    weak: Vec<String>,
    /// By how much its clock is ahead of ours, in seconds.
    ahead: Option<f64>,
}

/// Looks at all servers. A master that does not answer is an error; a replica that does not is a weakness.
pub(super) async fn of(servers: &[Replicated]) -> Result<Durability, Failure> {
    let masters = join_all(servers.iter().map(|server| {
        let needs_replica = server.fails_over && !server.replicas.is_empty();
        look(&server.master, needs_replica)
    }));
    let replicas =
        join_all(servers.iter().flat_map(|server| &server.replicas).map(|replica| look(replica, false)));
    let (masters, replicas) = tokio::join!(masters, replicas);
    let mut all = masters.into_iter().collect::<Result<Vec<_>, _>>()?;
    for replica in replicas {
        match replica {
            Ok(looked) => all.push(looked),
            Err(Failure { server, .. }) => {
                let weak = vec!["it does not answer, so that it holds nothing that is new".to_owned()];
                all.push(Looked { name: server, weak, ahead: None });
            }
        }
    }
    let mut reasons = reasons(&all);
    reasons.extend(clocks(&all));
    Ok(if reasons.is_empty() { Durability::Durable } else { Durability::Weak { reason: reasons.join("; ") } })
}

/// What is weak, each once, with the servers that it is said of where there are several.
fn reasons(all: &[Looked]) -> Vec<String> {
    let mut said: Vec<(&String, Vec<&str>)> = Vec::new();
    for looked in all {
        for weak in &looked.weak {
            match said.iter_mut().find(|(reason, _)| *reason == weak) {
                Some((_, names)) => names.push(&looked.name),
                None => said.push((weak, vec![&looked.name])),
            }
        }
    }
    let told = |(reason, names): (&String, Vec<&str>)| match all.len() {
        1 => reason.clone(),
        _ => format!("{}: {reason}", names.join(", ")),
    };
    said.into_iter().map(told).collect()
}

/// Whether the clocks of the servers differ by too much.
fn clocks(all: &[Looked]) -> Option<String> {
    let known = || all.iter().filter_map(|looked| Some((looked.ahead?, &looked.name)));
    let (last, behind) = known().min_by(|one, other| one.0.total_cmp(&other.0))?;
    let (first, ahead) = known().max_by(|one, other| one.0.total_cmp(&other.0))?;
    (first - last > CLOCKS_DIFFER.as_secs_f64()).then(|| {
        format!(
            "the clocks of {behind} and {ahead} differ by {:.1} s: keep them together, or what is numbered after a \
             fail-over may be numbered as before it",
            first - last
        )
    })
}

async fn look(node: &Node, needs_replica: bool) -> Result<Looked, Failure> {
    let asked = async |pattern: &str| -> Result<Option<Vec<(String, String)>>, Failure> {
        match node.ask(cmd("CONFIG").arg("GET").arg(pattern).take()).await {
            Ok(settings) => Ok(Some(settings)),
            Err(failure) if is_passing(&failure.error) => Err(failure),
            Err(failure) if failure.error.kind() == ErrorKind::UnexpectedReturnType => Err(failure),
            Err(_) => Ok(None),
        }
    };
    let settings = tokio::try_join!(asked("append*"), asked("maxmemory*"), asked(MIN_REPLICAS))?;
    let weak = match settings {
        (Some(append), Some(memory), Some(replicas)) => {
            let wanted = wanted_replicas(&replicas);
            node.learn_wanted_replicas(wanted);
            weaknesses(&[append, memory].concat(), needs_replica && wanted == 0)
        }
        _ => {
            let reason = "the server does not tell its configuration (CONFIG GET); \
                          see that it has appendonly yes, appendfsync always and maxmemory-policy noeviction";
            vec![reason.to_owned()]
        }
    };
    Ok(Looked { name: node.name(), weak, ahead: ahead(node).await? })
}

fn weaknesses(settings: &[(String, String)], lacks_replica: bool) -> Vec<String> {
    let value = |name: &str| {
        let found = settings.iter().find(|(setting, _)| setting == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let mut weak = Vec::new();
    if value("appendonly") != "yes" {
        weak.push(
            "set appendonly yes: without it a crash loses everything since the last snapshot".to_owned(),
        );
    } else if value("appendfsync") != "always" {
        let found = value("appendfsync");
        weak.push(format!("set appendfsync always: with {found} a crash loses what came last"));
    }
    if value("maxmemory") != "0" && value("maxmemory-policy") != "noeviction" {
        let found = value("maxmemory-policy");
        weak.push(format!("set maxmemory-policy noeviction: with {found} a full server forgets links"));
    }
    if lacks_replica {
        weak.push(format!(
            "set {MIN_REPLICAS} 1: with 0 nobody waits for a replica, and a fail-over loses what came last"
        ));
    }
    weak
}

/// By how much the server's clock is ahead of ours, half of the way there and back left out; unknown where it may not be
/// asked.
async fn ahead(node: &Node) -> Result<Option<f64>, Failure> {
    let begun = std::time::Instant::now();
    let told: Result<(f64, f64), Failure> = node.ask(cmd("TIME")).await;
    let (seconds, microseconds) = match told {
        Ok(told) => told,
        Err(failure) if is_passing(&failure.error) => return Err(failure),
        Err(_) => return Ok(None),
    };
    let way = begun.elapsed().as_secs_f64() / 2.0;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    Ok(Some(seconds + microseconds / 1e6 + way - now))
}
