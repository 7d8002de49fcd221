//! How many replicas must have a write before it is acknowledged.

use std::time::{Duration, Instant};

use ::redis::Value;

/// The replicas that a server has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Followers {
    /// How many there are, as far as is known.
    pub(super) count: u32,
    /// Since when there seem to be fewer.
    fewer_since: Option<Instant>,
}

/// For so long one that is gone is still counted: it may have been told to take over, and what the others have is then
/// lost as soon as they follow it. The old master has been told by then as well.
const MAY_TAKE_OVER: Duration = Duration::from_secs(15);

impl Followers {
    /// What is known when the server tells of so many.
    pub(super) fn told(self, count: u32, now: Instant) -> Self {
        let since = self.fewer_since.unwrap_or(now);
        let is_gone = now.duration_since(since) >= MAY_TAKE_OVER;
        if count >= self.count || is_gone {
            Self { count, fewer_since: None }
        } else {
            Self { count: self.count, fewer_since: Some(since) }
        }
    }
}

/// How many replicas follow a master, by its answer to `ROLE`: its name, how far it is, and each of them.
pub(super) fn following(role: &Value) -> u32 {
    match role {
        Value::Array(told) => match told.as_slice() {
            [_, _, Value::Array(replicas), ..] => u32::try_from(replicas.len()).unwrap_or(u32::MAX),
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_counts_at_once_and_one_that_is_gone_counts_for_a_while() {
        let begun = Instant::now();
        let known = Followers::default().told(2, begun);
        assert_eq!(known.count, 2);
        let missed = known.told(1, begun);
        assert_eq!(missed.told(1, begun + MAY_TAKE_OVER / 2).count, 2);
        assert_eq!(missed.told(1, begun + MAY_TAKE_OVER).count, 1);
        assert_eq!(missed.told(3, begun).count, 3);
        // Back in between: were it gone again, it would count anew.
        let back = missed.told(2, begun + MAY_TAKE_OVER / 2);
        assert_eq!(back.told(1, begun + MAY_TAKE_OVER).count, 2);
    }

    #[test]
    fn a_master_tells_of_each_replica_and_a_replica_of_none() {
        let replica = || Value::Array(vec![Value::BulkString(b"127.0.0.1".to_vec())]);
        let of = |replicas| {
            let name = Value::BulkString(b"master".to_vec());
            Value::Array(vec![name, Value::Int(7), Value::Array(replicas)])
        };
        assert_eq!(following(&of(vec![])), 0);
        assert_eq!(following(&of(vec![replica(), replica()])), 2);
        let name = |name: &str| Value::BulkString(name.as_bytes().to_vec());
        let of_replica =
            vec![name("slave"), name("127.0.0.1"), Value::Int(6379), name("connected"), Value::Int(7)];
        assert_eq!(following(&Value::Array(of_replica)), 0);
        assert_eq!(following(&Value::Nil), 0);
    }
}
