//! Applies writes to Exact Online within its quota and reports outcomes.
