use std::time::Duration;

use super::{Redis, exchange};
use crate::wait::poll;
use crate::{Result, free_port};

const FORM_LIMIT: Duration = Duration::from_mins(1);

/// How long a node must be silent before the others give it up, in milliseconds.
const SILENCE: u32 = 1_000;

const SLOTS: usize = 16_384;

/// Private Redis servers that form a cluster. Dropping it ends them and removes their data.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
    masters: usize,
}

impl RedisCluster {
    /// Starts so many masters, each with as many of the slots and so many replicas, and waits until all nodes agree that
    /// the cluster works.
    ///
    /// # Errors
    ///
    /// As [`Redis::start`]; [`Error::TimedOut`](crate::Error::TimedOut) when they do not come to agree.
    pub fn start(masters: usize, replicas: usize) -> Result<Self> {
        let settings = || {
            vec![
                "cluster-enabled yes".to_owned(),
                format!("cluster-port {}", free_port()),
                format!("cluster-node-timeout {SILENCE}"),
                "repl-diskless-sync-delay 0".to_owned(),
            ]
        };
        let count = masters * (1 + replicas);
        let nodes = (0..count).map(|_| Redis::start_with(settings)).collect::<Result<Vec<_>>>()?;
        for (at, node) in nodes.iter().enumerate() {
            node.must(&format!("CLUSTER SET-CONFIG-EPOCH {}", at + 1))?;
            if at < masters {
                let (first, next) = (SLOTS * at / masters, SLOTS * (at + 1) / masters);
                node.must(&format!("CLUSTER ADDSLOTSRANGE {first} {}", next - 1))?;
            }
        }
        for node in &nodes[1..] {
            let bus = exchange(node.port(), "CONFIG GET cluster-port")?.pop().unwrap_or_default();
            nodes[0].must(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port()))?;
        }
        let cluster = Self { nodes, masters };
        cluster.wait_for(&format!("cluster_known_nodes:{count}\r"))?;
        for at in masters..count {
            let master = cluster.nodes[at % masters].command("CLUSTER MYID")?;
            poll("a replica to know its master", FORM_LIMIT, || {
                cluster.nodes[at]
                    .must(&format!("CLUSTER REPLICATE {master}"))
                    .map_err(|error| format!("{error:?}"))
            })?;
        }
        cluster.wait_until_whole()?;
        for node in &cluster.nodes {
            poll("each node to know whose replica is whose", FORM_LIMIT, || {
                let told = node.command("CLUSTER NODES").map_err(|error| format!("{error:?}"))?;
                let known = told.lines().filter(|line| line.contains("slave")).count();
                if known == count - masters { Ok(()) } else { Err(told) }
            })?;
        }
        for node in &cluster.nodes[..masters] {
            poll("the replicas to follow", FORM_LIMIT, || {
                let told = node.command("INFO replication").map_err(|error| format!("{error:?}"))?;
                let wanted = format!("connected_slaves:{replicas}\r");
                if told.contains(&wanted) { Ok(()) } else { Err(told) }
            })?;
        }
        Ok(cluster)
    }

    /// The addresses of all nodes, `127.0.0.1:PORT` each.
    pub fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::address).collect()
    }

    /// The nodes: the masters first, each replica so far behind its master as there are masters, or twice as far.
    pub fn nodes(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }

    /// Where the master is, in [`RedisCluster::nodes`], that had this slot at the start.
    pub fn master_of(&self, slot: usize) -> usize {
        (0..self.masters).find(|at| slot < SLOTS * (at + 1) / self.masters).unwrap_or(0)
    }

    /// Waits until each node says that the cluster works.
    pub fn wait_until_whole(&self) -> Result<()> {
        self.wait_for("cluster_state:ok\r")
    }

    fn wait_for(&self, wanted: &str) -> Result<()> {
        for node in &self.nodes {
            poll(&format!("a node of the cluster to tell {}", wanted.trim()), FORM_LIMIT, || {
                let told = node.command("CLUSTER INFO").map_err(|error| format!("{error:?}"))?;
                if told.contains(wanted) { Ok(()) } else { Err(told) }
            })?;
        }
        Ok(())
    }
}
