//! Reads CustomCRM and publishes observations.
