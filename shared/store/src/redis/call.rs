//! What is asked of a server: reads, and scripts.

use ::redis::{Cmd, ToRedisArgs, cmd};

/// What is asked of a server in one round trip.
pub(super) enum Call {
    /// Commands that change nothing, each of one key.
    Read(Vec<Cmd>),
    /// A script.
    Script(Invocation),
}

impl From<Cmd> for Call {
    fn from(command: Cmd) -> Self {
        Self::Read(vec![command])
    }
}

impl From<Invocation> for Call {
    fn from(invocation: Invocation) -> Self {
        Self::Script(invocation)
    }
}

/// A script, and the hash by which a server that has it knows it.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, hash: ::redis::Script::new(text).get_hash().to_owned() }
    }

    /// To be run with keys and arguments.
    pub(super) fn invoke(&'static self) -> Invocation {
        Invocation { script: self, keys: Vec::new(), arguments: Vec::new() }
    }
}

/// A script with its keys and arguments.
pub(super) struct Invocation {
    script: &'static Script,
    keys: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

impl Invocation {
    pub(super) fn key(&mut self, key: impl ToRedisArgs) -> &mut Self {
        key.write_redis_args(&mut self.keys);
        self
    }

    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        argument.write_redis_args(&mut self.arguments);
        self
    }

    /// For a server that has the script.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// For a server that does not have it yet: it keeps what it is told. This does not fail for want of the script,
    /// whatever else empties the server's memory of scripts in the same moment.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}
