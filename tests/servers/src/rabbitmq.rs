#[cfg(test)]
mod tests;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::child::Child;
use crate::folder::Folder;
use crate::wait::poll;
use crate::{AMQP_URL_VARIABLE, Error, Result, free_port};

/// The package's own scripts: those in `/usr/sbin` switch to the user `rabbitmq`.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const EPMD: &str = "/usr/bin/epmd";

/// It takes 10 to 13 s; the rest is for a machine that is busy compiling.
const START_LIMIT: Duration = Duration::from_mins(2);

/// A private RabbitMQ node with an `epmd`, ports, a cookie and a data folder of its own, bound to loopback, without
/// plugins. Dropping it ends the node and its `epmd` and removes the data.
#[derive(Debug)]
pub struct RabbitMq {
    // Fields drop in this order: the node, then what it is registered with, then the folder of both.
    node: Child,
    epmd: Child,
    ports: Ports,
    folder: Folder,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    amqp: u16,
    distribution: u16,
    epmd: u16,
}

impl RabbitMq {
    /// Starts one and waits until it speaks AMQP, which takes 10 to 13 s.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`], or what its start failed with on three different sets of ports.
    pub fn start() -> Result<Self> {
        for program in [PROGRAM, EPMD] {
            if !Path::new(program).exists() {
                return Err(Error::NotInstalled { program });
            }
        }
        let mut tries_left = 3;
        loop {
            // A new folder each time: a node's data belongs to its name.
            let folder = Folder::new("rabbitmq")?;
            match try_start(folder) {
                // Somebody else was faster to take one of the ports.
                Err(Error::Ended { .. }) if tries_left > 1 => tries_left -= 1,
                other => return other,
            }
        }
    }

    /// The RabbitMQ of this test run: the one that `TANDEM_TEST_AMQP_URL` names (`tests/run` sets it), else one
    /// that this process starts at the first call and that ends with the process.
    ///
    /// Others use it at the same time: keep to exchange and queue names of your own.
    ///
    /// # Panics
    ///
    /// When none can be started, with the reason and what to install.
    pub fn shared_url() -> String {
        static SHARED: OnceLock<RabbitMq> = OnceLock::new();
        std::env::var(AMQP_URL_VARIABLE).unwrap_or_else(|_| {
            SHARED
                .get_or_init(|| Self::start().unwrap_or_else(|error| panic!("no RabbitMQ: {error:?}")))
                .url()
        })
    }

    /// `amqp://guest:guest@127.0.0.1:PORT/%2f`, the same after a restart.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// The AMQP port on 127.0.0.1, the same after a restart.
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// The pid of the node that runs, or ran last.
    pub fn pid(&self) -> u32 {
        self.node.pid()
    }

    /// Ends the node with `SIGKILL`. Its data and its `epmd` stay for [`RabbitMq::restart`].
    pub fn kill_nine(&mut self) -> Result<()> {
        self.node.kill_nine()
    }

    /// Ends the node in good order (`SIGTERM`) and waits for it.
    pub fn stop(&mut self) -> Result<()> {
        self.node.terminate()?;
        self.node.wait(Duration::from_mins(1)).map(|_| ())
    }

    /// Starts the node again on the same ports and data and waits until it speaks AMQP; one that still runs is
    /// stopped in good order first.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.epmd.must_run(&self.folder)?;
        self.node = serve(&self.folder, self.ports)?;
        Ok(())
    }
}

fn try_start(folder: Folder) -> Result<RabbitMq> {
    let ports = Ports { amqp: free_port(), distribution: free_port(), epmd: free_port() };
    let mut epmd = start_epmd(&folder, ports.epmd)?;
    let node = serve(&folder, ports)?;
    // Had another epmd held the port, ours would have ended long since, and the node would be known to the other.
    epmd.must_run(&folder)?;
    Ok(RabbitMq { node, epmd, ports, folder })
}

/// Started by us and in the foreground, so that its pid is known: one that a node starts outlives the node.
fn start_epmd(folder: &Folder, port: u16) -> Result<Child> {
    let mut command = Command::new(EPMD);
    command.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
    // It ends when it believes that systemd started it.
    command.env_remove("LISTEN_FDS").env_remove("LISTEN_PID");
    let mut epmd = Child::spawn("epmd", &command, folder)?;
    let ready = poll(&format!("epmd on port {port} to answer"), Duration::from_secs(30), || {
        match (epmd.must_run(folder), connect(port)) {
            (Err(error), _) => Ok(Err(error)),
            (Ok(()), Ok(_)) => Ok(Ok(())),
            (Ok(()), Err(error)) => Err(error),
        }
    })?;
    ready.map(|()| epmd)
}

fn serve(folder: &Folder, ports: Ports) -> Result<Child> {
    let node_name = format!("tandem{}", ports.amqp);
    let command = node_command(folder, ports, &node_name)?;
    let mut node = Child::spawn("rabbitmq", &command, folder)?;
    // The greeting names the cluster after the node; so a server of somebody else on our port is told apart.
    let mine = format!("{node_name}@");
    let what = format!("RabbitMQ on port {} to speak AMQP", ports.amqp);
    let ready = poll(&what, START_LIMIT, || {
        if let Err(error) = node.must_run(folder) {
            return Ok(Err(error));
        }
        match greeting(ports.amqp) {
            Ok(answer) if answer.contains(&mine) => Ok(Ok(())),
            Ok(answer) => Err(format!("a greeting that is not from {mine}: {answer:?}")),
            Err(error) => Err(error.to_string()),
        }
    })?;
    ready.map(|()| node)
}

fn node_command(folder: &Folder, ports: Ports, node_name: &str) -> Result<Command> {
    let home = folder.make("home")?;
    let cookie = home.join(".erlang.cookie");
    if !cookie.exists() {
        // It guards ports on loopback of a server that holds test data: the folder's random name will do.
        let text =
            folder.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        folder.write("home/.erlang.cookie", &text)?;
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))
            .map_err(Error::io(format!("restrict {}", cookie.display())))?;
    }
    let config = folder.write(
        "rabbitmq.conf",
        &format!(
            "listeners.tcp.1 = 127.0.0.1:{}\nloopback_users = none\ndisk_free_limit.absolute = 200MB\n\
             vm_memory_high_watermark.absolute = 2GB\nlog.file.level = warning\n",
            ports.amqp
        ),
    )?;
    // So that the node's name resolves on a machine whose own list of hosts is bare.
    let hosts =
        folder.write("inetrc", "{host, {127,0,0,1}, [\"localhost\"]}.\n{lookup, [file, native]}.\n")?;
    let plugins = folder.write("enabled_plugins", "[].\n")?;

    let mut command = Command::new(PROGRAM);
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if ["RABBITMQ_", "ERL_", "NOTIFY_SOCKET"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&key);
        }
    }
    command
        .current_dir(folder.path())
        .env("HOME", home)
        .env("ERL_INETRC", hosts)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", ports.epmd.to_string())
        .env("RABBITMQ_NODENAME", format!("{node_name}@localhost"))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", ports.amqp.to_string())
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("RABBITMQ_MNESIA_BASE", folder.make("mnesia")?)
        .env("RABBITMQ_LOG_BASE", folder.make("log")?)
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", plugins)
        .env("RABBITMQ_CONFIG_FILE", config)
        // Else the machine's own settings in /etc/rabbitmq would be added to ours.
        .env("RABBITMQ_CONFIG_FILES", folder.make("conf.d")?)
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", folder.join("advanced.config"))
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        // With input allowed the script becomes the node in place of watching over it: one pid, ours.
        .env("RABBITMQ_ALLOW_INPUT", "1")
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} \
             +sbwt none +sbwtdcpu none +sbwtdio none",
        );
    Ok(command)
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream =
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok(stream)
}

/// What the server says to an AMQP 0-9-1 client that connects: the text of its `connection.start` frame.
fn greeting(port: u16) -> std::io::Result<String> {
    let mut stream = connect(port)?;
    stream.write_all(b"AMQP\x00\x00\x09\x01")?;
    // A frame is its type (1 byte), channel (2), length (4), content and an end mark.
    let mut head = [0; 7];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let mut content = Vec::new();
    stream.take(u64::from(length.min(65_536))).read_to_end(&mut content)?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}
