//! Applies writes to CustomCRM and reports outcomes.
