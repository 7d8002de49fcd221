//! What Tandem tells of itself, held to what is written down: `deploy/telemetry.md` lists every span, attribute and
//! metric, and `tests/it` holds the page to what real processes emit, both ways. The dashboards are written from
//! [`dashboards`], and a real Prometheus answers each of their queries, and judges the alerts, while a story is told.
//!
//! Start reading at [`page`]; what happens in the story is in `tests/it/story.rs`.

pub mod alerts;
pub mod dashboards;
pub mod page;
pub mod picture;
