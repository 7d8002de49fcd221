//! What goes wrong at the ports, and how often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

use crate::Mistake;

/// Something that may go wrong at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// What is published is not taken, and the publisher is told so.
    Unpublished,
    /// What is published is taken, and the publisher is told that it may not be.
    Unconfirmed,
    /// A subscription ends.
    SubscriptionLost,
    /// A settlement does not arrive: the message comes again.
    SettlementLost,
    /// A message is handed out later than those behind it.
    Overtaken,
    /// The store is away.
    StoreAway,
    /// The store does what it is asked, and its answer is lost.
    StoreSilent,
    /// The store takes a second or two.
    StoreSlow,
    /// A system can't be connected to.
    Unreachable,
    /// A call is carried out, and its answer is lost.
    AnswerLost,
    /// A call is lost on the way there.
    CallLost,
    /// A call takes up to 40 s, which is longer than any caller waits.
    CallSlow,
    /// A system answers with a failure of its own and has done nothing.
    ServerError,
    /// A system asks to wait.
    Throttled,
    /// A page of the CRM comes twice, or in the opposite order.
    PageOdd,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Unpublished,
        Self::Unconfirmed,
        Self::SubscriptionLost,
        Self::SettlementLost,
        Self::Overtaken,
        Self::StoreAway,
        Self::StoreSilent,
        Self::StoreSlow,
        Self::Unreachable,
        Self::AnswerLost,
        Self::CallLost,
        Self::CallSlow,
        Self::ServerError,
        Self::Throttled,
        Self::PageOdd,
    ];
}

impl Fault {
    /// How likely it is at most each time. A session that ends gives back all that it has in hand: where more of them did
    /// than this, a message would return to its queue more often than a broker lets it. A call to the store that fails is
    /// made again; where many more of them failed, one would fail five times in a row.
    pub(crate) const fn most(self) -> f64 {
        match self {
            Self::SubscriptionLost | Self::SettlementLost => 0.002,
            Self::StoreAway | Self::StoreSilent => 0.01,
            Self::Unpublished
            | Self::Unconfirmed
            | Self::Overtaken
            | Self::StoreSlow
            | Self::Unreachable
            | Self::AnswerLost
            | Self::CallLost
            | Self::CallSlow
            | Self::ServerError
            | Self::Throttled
            | Self::PageOdd => 0.02,
        }
    }
}

/// The faults of a run, and how often each strikes. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    chances: BTreeMap<Fault, f64>,
    struck: BTreeMap<Fault, u32>,
    mistake: Option<Mistake>,
}

impl Faults {
    pub(crate) fn new(chances: BTreeMap<Fault, f64>, mistake: Option<Mistake>) -> Self {
        Self(Arc::new(Mutex::new(Inner { chances, struck: BTreeMap::new(), mistake })))
    }

    /// Whether the services make this mistake.
    pub(crate) fn makes(&self, mistake: Mistake) -> bool {
        self.0.lock().unwrap().mistake == Some(mistake)
    }

    /// Whether this fault strikes now.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        let mut inner = self.0.lock().unwrap();
        let Some(chance) = inner.chances.get(&fault) else { return false };
        let strikes = ambient::fraction() < *chance;
        if strikes {
            *inner.struck.entry(fault).or_default() += 1;
        }
        strikes
    }

    /// Nothing goes wrong any more.
    pub(crate) fn end(&self) {
        self.0.lock().unwrap().chances.clear();
    }

    /// How often each struck.
    pub(crate) fn struck(&self) -> BTreeMap<Fault, u32> {
        self.0.lock().unwrap().struck.clone()
    }
}

/// Takes a time between these.
pub(crate) async fn takes(least: Duration, most: Duration) {
    sleep(between((least, most), ambient::fraction())).await;
}

/// The time between two others at this share of the way.
pub(crate) fn between((least, most): (Duration, Duration), share: f64) -> Duration {
    least + most.saturating_sub(least).mul_f64(share)
}
