//! Reads Exact Online and publishes observations.
