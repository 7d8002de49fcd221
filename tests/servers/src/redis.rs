mod cluster;
mod sentinel;
#[cfg(test)]
mod tests;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::child::Child;
use crate::folder::Folder;
use crate::wait::poll;
use crate::{Error, REDIS_URL_VARIABLE, Result, free_port};

pub use self::cluster::RedisCluster;
pub use self::sentinel::RedisSentinel;

const PROGRAM: &str = "/usr/bin/redis-server";

/// It is up in 50 ms; the rest is for a machine that is busy compiling.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A private Redis: an append-only file that is synced at each write, bound to loopback, with a port and a data
/// folder of its own. Dropping it ends the server and removes its data.
#[derive(Debug)]
pub struct Redis {
    // Fields drop in this order: the server ends before its folder goes.
    server: Child,
    port: u16,
    folder: Folder,
}

impl Redis {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`], or what its start failed with on five different ports.
    pub fn start() -> Result<Self> {
        Self::start_with(Vec::new)
    }

    /// Starts one with these settings beside its own, a line of `redis.conf` each. They are asked for at each try, so
    /// that a port among them is another one then.
    fn start_with(settings: impl Fn() -> Vec<String>) -> Result<Self> {
        if !Path::new(PROGRAM).exists() {
            return Err(Error::NotInstalled { program: PROGRAM });
        }
        let folder = Folder::new("redis")?;
        let mut tries_left = 5;
        loop {
            let port = free_port();
            configure(&folder, port, &settings())?;
            match serve(&folder, port) {
                Ok(server) => return Ok(Self { server, port, folder }),
                // Somebody else was faster to take the port.
                Err(Error::Ended { .. }) if tries_left > 1 => tries_left -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The Redis of this test run: the one that `TANDEM_TEST_REDIS_URL` names (`tests/run` sets it), else one that
    /// this process starts at the first call and that ends with the process.
    ///
    /// Others use it at the same time: keep to a key prefix of your own, and never flush it.
    ///
    /// # Panics
    ///
    /// When none can be started, with the reason and what to install.
    pub fn shared_url() -> String {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        std::env::var(REDIS_URL_VARIABLE).unwrap_or_else(|_| {
            SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("no Redis: {error:?}"))).url()
        })
    }

    /// `redis://127.0.0.1:PORT`, the same after a restart.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `127.0.0.1:PORT`, the same after a restart.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port on 127.0.0.1, the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The pid of the server that runs, or ran last.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Ends the server with `SIGKILL`. Its data stays for [`Redis::restart`].
    pub fn kill(&mut self) -> Result<()> {
        self.server.kill_nine()
    }

    /// Starts the server again on the same port and data; one that still runs is killed first.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.server = serve(&self.folder, self.port)?;
        Ok(())
    }

    /// Halts the server (`SIGSTOP`): it keeps its connections and answers nothing, until [`Redis::go_on`].
    pub fn halt(&self) -> Result<()> {
        self.server.send("STOP")
    }

    /// Lets a halted server go on.
    pub fn go_on(&self) -> Result<()> {
        self.server.send("CONT")
    }

    /// Forgets all data, as if Redis had been lost.
    pub fn flush_all(&self) -> Result<()> {
        self.must("FLUSHALL")
    }

    /// Sends one command, its words apart by spaces, and returns the answer: the whole text of a bulk answer, else its
    /// first line as the protocol has it.
    pub fn command(&self, line: &str) -> Result<String> {
        ask(self.port, line)
    }

    /// Sends a command that must be answered with `OK`.
    pub fn must(&self, line: &str) -> Result<()> {
        must(self.port, line)
    }
}

fn must(port: u16, line: &str) -> Result<()> {
    let answer = ask(port, line)?;
    if answer == "+OK" { Ok(()) } else { Err(Error::Answer { what: line.to_owned(), answer }) }
}

/// Writes the file that the server reads at its start, and writes itself when it is told to be a replica or not.
fn configure(folder: &Folder, port: u16, settings: &[String]) -> Result<()> {
    let data = folder.make("data")?;
    let own = [
        format!("port {port}"),
        "bind 127.0.0.1".to_owned(),
        format!("dir {}", data.display()),
        "appendonly yes".to_owned(),
        "appendfsync always".to_owned(),
        "save \"\"".to_owned(),
        "daemonize no".to_owned(),
    ];
    let lines: Vec<&str> = own.iter().chain(settings).map(String::as_str).collect();
    folder.write("redis.conf", &(lines.join("\n") + "\n")).map(|_| ())
}

fn serve(folder: &Folder, port: u16) -> Result<Child> {
    let mut command = Command::new(PROGRAM);
    command.arg(folder.join("redis.conf"));
    let mut server = Child::spawn("redis", &command, folder)?;
    let mine = format!("process_id:{}\r", server.pid());
    let ready = poll(&format!("Redis on port {port} to answer"), START_LIMIT, || {
        if let Err(error) = server.must_run(folder) {
            return Ok(Err(error));
        }
        match ask(port, "INFO") {
            // Another server may have taken the port: ours is the one with our pid.
            Ok(answer) if !answer.contains(&mine) => Err("another server answers on the port".to_owned()),
            Ok(answer) if !answer.contains("\nloading:0\r") => Err("it is loading its data".to_owned()),
            Ok(_) => Ok(Ok(())),
            Err(error) => Err(format!("{error:?}")),
        }
    })?;
    ready.map(|()| server)
}

/// Sends one inline command and returns the answer: the whole text of a bulk answer, else its one line.
fn ask(port: u16, command: &str) -> Result<String> {
    exchange(port, command).map(|answer| answer.into_iter().next().unwrap_or_default())
}

/// Sends one inline command and returns the answer: the texts of a list, or the only text.
fn exchange(port: u16, command: &str) -> Result<Vec<String>> {
    let exchange = || -> std::io::Result<Vec<String>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut reader = BufReader::new(stream);
        let first = text(&mut reader)?;
        match first.strip_prefix('*').and_then(|count| count.parse().ok()) {
            Some(count) => (0..count).map(|_: usize| text(&mut reader)).collect(),
            None => Ok(vec![first]),
        }
    };
    exchange().map_err(Error::io(format!("ask Redis on port {port} for {command}")))
}

/// One text: a line, or as many bytes as the line says.
fn text(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end().to_owned();
    let Some(length) = line.strip_prefix('$').and_then(|length| length.parse::<u64>().ok()) else {
        return Ok(line);
    };
    let mut text = String::new();
    reader.take(length).read_to_string(&mut text)?;
    reader.read_line(&mut String::new())?;
    Ok(text)
}
