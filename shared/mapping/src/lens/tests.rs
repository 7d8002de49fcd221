//! Promises of the lenses.
