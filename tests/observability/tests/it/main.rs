//! What real processes emit, held to what is written down.

#![allow(clippy::unwrap_used, reason = "a test ends where something can't be done")]

mod canary;
mod deployed;
mod otelite;
mod page;
mod prometheus;
mod story;
mod told;
