use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use reqwest::redirect::Policy;
use url::Url;

use crate::Shop;

/// What the address has in it that it shows.
const QUESTION: &str = "/api/oauth2/auth?";

/// The program, which has shown the address and waits for the answer.
pub(crate) struct Asked {
    program: Child,
    stdout: BufReader<ChildStdout>,
    /// What it has said so far.
    said: String,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

fn command(shop: &Shop, at: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(["auth", at, "--config"]).arg(shop.config()).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program, which is to end before it asks anybody.
pub(crate) fn refused(shop: &Shop, arguments: &[&str]) -> Ended {
    ended(command(shop, "exactonline", arguments))
}

pub(crate) fn refused_at(shop: &Shop, at: &str) -> Ended {
    ended(command(shop, at, &[]))
}

fn ended(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Asked {
    pub(crate) fn on(shop: &Shop, arguments: &[&str]) -> Self {
        let mut program = command(shop, "exactonline", arguments).spawn().unwrap();
        let stdout = BufReader::new(program.stdout.take().unwrap());
        let mut asked = Self { program, stdout, said: String::new() };
        asked.until(QUESTION);
        asked
    }

    /// The address that it shows.
    pub(crate) fn question(&self) -> Url {
        self.said.lines().find(|line| line.contains(QUESTION)).unwrap().trim().parse().unwrap()
    }

    /// What tells its answer from others.
    pub(crate) fn state(&self) -> String {
        self.question().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    }

    /// What a person's browser is sent to, who agrees.
    pub(crate) async fn agree(&self) -> String {
        let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let answer = browser.get(self.question()).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Reads on until the program has said this.
    pub(crate) fn until(&mut self, words: &str) -> &str {
        while !self.said.contains(words) {
            if self.stdout.read_line(&mut self.said).unwrap() == 0 {
                let errors = self.errors();
                panic!("it never said {words}: {}{errors}", self.said);
            }
        }
        &self.said
    }

    /// Pastes a line, and waits for the end.
    pub(crate) fn paste(mut self, text: &str) -> Ended {
        writeln!(self.program.stdin.as_mut().unwrap(), "{text}").unwrap();
        self.end()
    }

    /// Closes the terminal, and waits for the end.
    pub(crate) fn end_of_input(mut self) -> Ended {
        self.close_input();
        self.end()
    }

    /// Closes the terminal.
    pub(crate) fn close_input(&mut self) {
        drop(self.program.stdin.take());
    }

    /// Waits for the end, with the terminal as it is.
    pub(crate) fn end(mut self) -> Ended {
        self.stdout.read_to_string(&mut self.said).unwrap();
        let stderr = self.errors();
        let code = self.program.wait().unwrap().code();
        Ended { code, stdout: std::mem::take(&mut self.said), stderr }
    }

    /// All that it says of errors until its end.
    fn errors(&mut self) -> String {
        let mut stderr = String::new();
        self.program.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        stderr
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
