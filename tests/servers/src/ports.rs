use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which Linux hands out ports for outgoing connections (32768 and up), so that a server that
/// is restarted on its port does not find a client of somebody else sitting there.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port on 127.0.0.1 that nobody listens on at this moment.
///
/// Somebody may take it before the caller does: what listens on it must be prepared to be refused and to ask again,
/// as [`crate::Redis::start`] and [`crate::RabbitMq::start`] do.
///
/// # Panics
///
/// When a thousand ports in a row are taken.
pub fn free_port() -> u16 {
    (0..1000).find_map(|_| bindable(candidate())).expect("one of a thousand ports is free")
}

/// Each `RandomState` has keys of its own, which is all the randomness that is needed here.
fn candidate() -> u16 {
    let random = RandomState::new().hash_one(std::process::id());
    let width = u64::from(PORTS.end - PORTS.start);
    PORTS.start + u16::try_from(random % width).expect("a rest is smaller than the width, which is a u16")
}

fn bindable(port: u16) -> Option<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
}
