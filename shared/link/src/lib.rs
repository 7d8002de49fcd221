//! The link state machine: pure decisions about two records that must agree.
