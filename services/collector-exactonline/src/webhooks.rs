//! What Exact Online tells of changes by itself: the listener takes it in, the keeper sees to it that it is told.

mod keeper;
mod listener;

pub(crate) use keeper::Keeper;
pub(crate) use listener::{Callback, Gathered, serve};
