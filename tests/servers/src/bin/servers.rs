//! Runs a command beside a private RabbitMQ and a private Redis.
//!
//! `servers COMMAND [ARGUMENTS]` starts both, gives the command their addresses in `TANDEM_TEST_AMQP_URL` and
//! `TANDEM_TEST_REDIS_URL`, ends with the command's exit code, and stops both, also when it is interrupted.
#![expect(clippy::print_stderr, reason = "a command line tool, whose standard output is the command's")]

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use servers::{AMQP_URL_VARIABLE, REDIS_URL_VARIABLE, RabbitMq, Redis};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// How long an interrupted command may take to end in its own way.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: servers COMMAND [ARGUMENTS]");
        return ExitCode::from(2);
    };
    match run(program, arguments.collect()).await {
        Ok(code) => code,
        Err(message) => {
            eprintln!("servers: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(program: OsString, arguments: Vec<OsString>) -> Result<ExitCode, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("could not listen for signals: {error}"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    let asked_to_end = async {
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
            _ = hang_up.recv() => 129,
        }
    };
    tokio::pin!(asked_to_end);

    // Interrupted while they start: the keepers of their folders end them when this process is gone.
    let (rabbitmq, redis) = tokio::select! {
        started = start() => started?,
        code = &mut asked_to_end => return Ok(ExitCode::from(code)),
    };
    let mut command = Command::new(&program)
        .args(arguments)
        .env(AMQP_URL_VARIABLE, rabbitmq.url())
        .env(REDIS_URL_VARIABLE, redis.url())
        .spawn()
        .map_err(|error| format!("could not run {}: {error}", program.to_string_lossy()))?;
    tokio::select! {
        status = command.wait() => match status {
            // A command that a signal ended is reported as a shell would: a failure with no code of its own.
            Ok(status) => Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)),
            Err(error) => Err(format!("could not wait for {}: {error}", program.to_string_lossy())),
        },
        code = &mut asked_to_end => {
            end(&mut command).await;
            Ok(ExitCode::from(code))
        }
    }
}

/// Starts both, without standing in the way of a signal.
async fn start() -> Result<(RabbitMq, Redis), String> {
    let begin = Instant::now();
    let (send, receive) = tokio::sync::oneshot::channel();
    // A thread of its own, for which nobody waits when the start is interrupted.
    std::thread::spawn(move || drop(send.send(both())));
    let servers = receive.await.map_err(|error| error.to_string())?.map_err(|error| format!("{error:?}"))?;
    eprintln!("servers: RabbitMQ and Redis are up after {:.1} s", begin.elapsed().as_secs_f64());
    Ok(servers)
}

fn both() -> servers::Result<(RabbitMq, Redis)> {
    Ok((RabbitMq::start()?, Redis::start()?))
}

/// Passes the wish to end on to the command and to all that it started (`cargo test` does not pass it on itself),
/// and insists when the command does not follow.
async fn end(command: &mut Child) {
    if let Some(pid) = command.id() {
        let family = family(pid).into_iter().map(|pid| pid.to_string());
        // Some may be gone by now, which is what is wanted.
        let _ = Command::new("sh")
            .args(["-c", "kill -TERM \"$@\" 2>/dev/null", "sh"])
            .args(family)
            .status()
            .await;
    }
    if tokio::time::timeout(GRACE, command.wait()).await.is_err() {
        let _ = command.kill().await;
    }
}

/// A process, its children, theirs, and so on.
fn family(first: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, parent(pid)?)))
        .collect();
    let mut family = vec![first];
    let mut next = 0;
    while let Some(&elder) = family.get(next) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == elder).map(|(pid, _)| pid));
        next += 1;
    }
    family
}

/// The second word after the program's name in brackets, which may hold spaces and brackets itself.
fn parent(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
