//! Real processes, real servers, real faults: the promises, one test each.
