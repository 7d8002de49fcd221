//! The command line and the one-process mode.
