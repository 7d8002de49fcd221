//! Start, propagate and flush traces and logs; the names of all signals.
