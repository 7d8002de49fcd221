//! The link store: a port, Redis, and an embedded single file; links, indexes and outbox over it.
