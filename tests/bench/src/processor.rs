//! The processor time of a process.

use std::time::Duration;
use std::{fs, io};

/// Linux counts in hundredths of a second for those who read, whatever it counts in itself.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used so far, its threads together.
pub(crate) fn used(pid: u32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program, in brackets, may hold anything; behind it user time is the 12th field, system time the
    // 13th.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11).take(2);
    let ticks: Option<u32> = fields.map(|field| field.parse::<u32>().ok()).sum();
    ticks.map(|ticks| TICK * ticks).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat can't be read")))
}
