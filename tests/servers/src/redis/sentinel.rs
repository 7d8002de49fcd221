use std::process::Command;
use std::time::Duration;

use super::{PROGRAM, Redis, ask, exchange, must};
use crate::child::Child;
use crate::folder::Folder;
use crate::wait::poll;
use crate::{Error, Result, free_port};

/// Replicas are found at once, other Sentinels by messages that go out every two seconds.
const WATCH_LIMIT: Duration = Duration::from_mins(1);

/// For how long a master must be silent before it is given up.
const SILENCE: Duration = Duration::from_millis(500);

/// How many Sentinels must agree.
const QUORUM: usize = 2;

/// Three private Redis servers, of which one is the master, and three Sentinels that watch them. Dropping it ends them
/// all and removes their data.
#[derive(Debug)]
pub struct RedisSentinel {
    // Fields drop in this order: nobody is promoted while the servers end.
    sentinels: Vec<Sentinel>,
    servers: Vec<Redis>,
}

#[derive(Debug)]
struct Sentinel {
    _process: Child,
    port: u16,
    _folder: Folder,
}

impl RedisSentinel {
    /// The name of the master that the Sentinels watch.
    pub const MASTER: &str = "tandem";

    /// Starts them and waits until all Sentinels know one another and both replicas, which takes three seconds. The first
    /// server is the master, and takes writes as long as one replica is there.
    ///
    /// # Errors
    ///
    /// As [`Redis::start`]; [`Error::TimedOut`] when they do not find one another.
    pub fn start() -> Result<Self> {
        let settings = || {
            // Without the delay a replica is served at once; after the timeout a silent one is given up.
            ["repl-diskless-sync-delay 0", "repl-timeout 10", "min-replicas-to-write 1"]
                .map(str::to_owned)
                .to_vec()
        };
        let master = Redis::start_with(settings)?;
        let following =
            |port: u16| move || [settings(), vec![format!("replicaof 127.0.0.1 {port}")]].concat();
        let mut servers = vec![Redis::start_with(following(master.port()))?];
        servers.push(Redis::start_with(following(master.port()))?);
        servers.insert(0, master);
        said(servers[0].port(), "INFO replication", "connected_slaves:2")?;
        let watched = servers[0].port();
        let sentinels = (0..3).map(|_| Sentinel::start(watched)).collect::<Result<Vec<_>>>()?;
        let started = Self { sentinels, servers };
        for sentinel in &started.sentinels {
            poll("the Sentinels to find the replicas and one another", WATCH_LIMIT, || {
                let known = sentinel.master().map_err(|error| format!("{error:?}"))?;
                let count = |name: &str| value(&known, name).and_then(|count| count.parse::<usize>().ok());
                match (count("num-slaves"), count("num-other-sentinels")) {
                    (Some(2), Some(2)) => Ok(()),
                    other => Err(format!("replicas and other Sentinels: {other:?}")),
                }
            })?;
        }
        Ok(started)
    }

    /// The addresses of the Sentinels, `127.0.0.1:PORT` each.
    pub fn sentinels(&self) -> Vec<String> {
        self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect()
    }

    /// The servers, whatever they are at this moment.
    pub fn servers(&mut self) -> &mut [Redis] {
        &mut self.servers
    }

    /// Lets a replica take the place of a master that serves, and goes on as a replica.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] when the first Sentinel refuses.
    pub fn fail_over(&self) -> Result<()> {
        must(self.sentinels[0].port, &format!("SENTINEL FAILOVER {}", Self::MASTER))
    }

    /// Where the server is, in [`RedisSentinel::servers`], that the first Sentinel takes for the master.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] when it names none of ours.
    pub fn master(&self) -> Result<usize> {
        let known = self.sentinels[0].master()?;
        let port = value(&known, "port").and_then(|port| port.parse().ok());
        let at = port.and_then(|port: u16| self.servers.iter().position(|server| server.port() == port));
        at.ok_or_else(|| Error::Answer { what: "SENTINEL MASTER".to_owned(), answer: known.join(" ") })
    }
}

impl Sentinel {
    fn start(watched: u16) -> Result<Self> {
        let folder = Folder::new("sentinel")?;
        let mut tries_left = 5;
        loop {
            let port = free_port();
            match Self::serve(&folder, port, watched) {
                Ok(process) => return Ok(Self { _process: process, port, _folder: folder }),
                // Somebody else was faster to take the port.
                Err(Error::Ended { .. }) if tries_left > 1 => tries_left -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn serve(folder: &Folder, port: u16, watched: u16) -> Result<Child> {
        let name = RedisSentinel::MASTER;
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", folder.path().display()),
            format!("sentinel monitor {name} 127.0.0.1 {watched} {QUORUM}"),
            format!("sentinel down-after-milliseconds {name} {}", SILENCE.as_millis()),
            format!("sentinel failover-timeout {name} 3000"),
            format!("sentinel parallel-syncs {name} 2"),
        ];
        let file = folder.write("sentinel.conf", &(lines.join("\n") + "\n"))?;
        let mut command = Command::new(PROGRAM);
        command.arg(file).arg("--sentinel");
        let mut process = Child::spawn("sentinel", &command, folder)?;
        let mine = format!("process_id:{}\r", process.pid());
        let ready = poll(&format!("Sentinel on port {port} to answer"), super::START_LIMIT, || {
            if let Err(error) = process.must_run(folder) {
                return Ok(Err(error));
            }
            match ask(port, "INFO server") {
                Ok(answer) if answer.contains(&mine) => Ok(Ok(())),
                Ok(_) => Err("another server answers on the port".to_owned()),
                Err(error) => Err(format!("{error:?}")),
            }
        })?;
        ready.map(|()| process)
    }

    /// What it knows of the master: names and values in turn.
    fn master(&self) -> Result<Vec<String>> {
        exchange(self.port, &format!("SENTINEL MASTER {}", RedisSentinel::MASTER))
    }
}

fn value<'a>(known: &'a [String], name: &str) -> Option<&'a str> {
    known.chunks_exact(2).find(|pair| pair[0] == name).map(|pair| pair[1].as_str())
}

/// Waits until a server's answer to a command contains this.
fn said(port: u16, command: &str, wanted: &str) -> Result<()> {
    poll(&format!("{command} to tell {wanted}"), WATCH_LIMIT, || match ask(port, command) {
        Ok(answer) if answer.contains(wanted) => Ok(()),
        Ok(answer) => Err(answer),
        Err(error) => Err(format!("{error:?}")),
    })
}
