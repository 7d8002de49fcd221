//! The words that every other crate speaks in: ids, values, records and views.
//!
//! Plain types without I/O, clock or serialisation. What travels on a queue or rests in a store has
//! types of its own in `contract`, so that a change here never changes a format by accident.
//!
//! Start reading at [`Record`] (what a system holds) and [`View`] (what a pair sees of it).

mod content;
mod failure;
mod id;
mod record;
mod value;

#[cfg(test)]
mod tests;

pub use content::{Content, Properties};
pub use failure::FailureClass;
pub use id::{
    ConnectionName, EntityName, InvalidName, LineKey, LinkId, PairName, PropertyName, RecordId, SystemPair,
    UserId,
};
pub use record::{Presence, Record, Version};
pub use value::{Reference, Value, View};

/// One of the two systems that Tandem keeps in agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// The company's own CRM.
    CustomCrm,
    /// Accounting and ERP in the cloud.
    ExactOnline,
}

impl System {
    /// Both systems, CustomCRM first.
    pub const BOTH: [Self; 2] = [Self::CustomCrm, Self::ExactOnline];

    /// The system on the other side of a link.
    pub const fn other(self) -> Self {
        match self {
            Self::CustomCrm => Self::ExactOnline,
            Self::ExactOnline => Self::CustomCrm,
        }
    }

    /// The name used in queues, keys, metrics and pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CustomCrm => "customcrm",
            Self::ExactOnline => "exactonline",
        }
    }

    /// Reads the name back; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|system| system.name() == name)
    }
}

impl std::fmt::Display for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
