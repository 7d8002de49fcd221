//! How long the disk takes to keep something: RabbitMQ and Redis wait for it all the time.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use crate::figures::Times;

const WRITES: usize = 300;
const BYTES: usize = 4_096;

/// Appends to a file in `folder`, a page at a time, each synchronised before the next.
pub(crate) fn synchronised_appends(folder: &Path) -> io::Result<Times> {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path)?;
    let page = [0x54; BYTES];
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(Times::new(times))
}
