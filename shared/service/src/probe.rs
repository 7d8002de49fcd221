//! A question to the process that already runs on a configuration: for images that hold no other program that could ask.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A process that does not answer by then does not answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Probe {
    /// Whether its loops go round.
    Live,
    /// Whether it works on all that it needs.
    Ready,
}

impl Probe {
    const fn path(self) -> &'static str {
        match self {
            Self::Live => "/health/live",
            Self::Ready => "/health/ready",
        }
    }

    /// Whether the process that listens there says yes. None that listens is a no.
    pub(crate) fn asks(self, listen: SocketAddr) -> bool {
        self.answer(nearby(listen)).is_ok_and(|line| line.split(' ').nth(1) == Some("200"))
    }

    /// The first line of the answer.
    fn answer(self, address: SocketAddr) -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWERS_WITHIN)?;
        stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
        write!(stream, "GET {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n", self.path())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    }
}

/// Where a process on this machine is reached that listens there.
fn nearby(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => return listen,
        ip if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
        _ => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_listens_everywhere_is_asked_nearby() {
        for (listens, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(nearby(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
