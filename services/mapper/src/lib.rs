//! Owns the links: turns observations and outcomes into writes.
