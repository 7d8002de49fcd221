//! Promises of the link state machine, case by case.
