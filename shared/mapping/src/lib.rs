//! Pairs as data: properties, lenses, validation.
