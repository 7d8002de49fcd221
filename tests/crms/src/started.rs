use std::time::Duration;

use servers::{Process, Result, wait_until_async};

use crate::http::Http;

/// How long a start may take on a machine that is busy compiling.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Ports that are tried: somebody else may be faster to take one.
const TRIES: u32 = 5;

/// Starts a server on a free port and waits until it answers a GET of this path; gives its address, without a slash at
/// the end.
pub(crate) async fn started(start: impl Fn(u16) -> Result<Process>, path: &str) -> (Process, String) {
    for _ in 0..TRIES {
        let port = servers::free_port();
        let mut process = start(port).unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let http = Http::new(&address, None);
        let what = format!("{address}{path} to answer");
        let answers = wait_until_async(&what, START_LIMIT, async || {
            if !process.is_running().unwrap() {
                return Ok(false);
            }
            http.answers(path).await.map(|()| true)
        });
        // One that ended meanwhile left the answer to somebody else.
        if answers.await && process.is_running().unwrap() {
            return (process, address);
        }
        eprint_end(&process);
    }
    panic!("the server did not start on any of {TRIES} ports");
}

#[expect(clippy::print_stderr, reason = "the reader of a failed test wants to see why")]
fn eprint_end(process: &Process) {
    eprintln!("it ended at once:\n{}\n{}", process.stdout(), process.stderr());
}
