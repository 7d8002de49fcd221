//! Codes of Exact's own lists.

use std::collections::BTreeMap;

use super::LensProblem;
use crate::Lookups;

/// A list that Exact keeps, and that its records choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Payment conditions.
    PaymentConditions,
    /// VAT codes.
    VatCodes,
    /// Units of sale.
    Units,
    /// Groups of items.
    ItemGroups,
}

/// What Exact's record holds of a list's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The entry's code. Where the list has been read, a code that it does not have is refused.
    Code,
    /// The entry's own id: nothing can be read or written before the list has been read.
    Id,
}

impl List {
    /// All lists.
    pub const ALL: [Self; 4] = [Self::PaymentConditions, Self::VatCodes, Self::Units, Self::ItemGroups];

    /// The name in a pair file and in [`Lookups::lists`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentConditions => "payment-conditions",
            Self::VatCodes => "vat-codes",
            Self::Units => "units",
            Self::ItemGroups => "item-groups",
        }
    }

    /// Reads the name back; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.name() == name)
    }

    /// What people call it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::PaymentConditions => "payment conditions",
            Self::VatCodes => "VAT codes",
            Self::Units => "units",
            Self::ItemGroups => "item groups",
        }
    }

    /// The code of the entry that has this id.
    pub(super) fn code_of(self, id: &str, lookups: &Lookups) -> Result<String, LensProblem> {
        let entries = self.entries(lookups).ok_or(LensProblem::UnreadList { list: self })?;
        let id = id.trim();
        entries
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(id))
            .map(|(code, _)| code.clone())
            .ok_or(LensProblem::UnknownEntry { list: self })
    }

    /// What Exact's record is given for a code.
    pub(super) fn written(
        self,
        code: String,
        holds: Holds,
        lookups: &Lookups,
    ) -> Result<String, LensProblem> {
        match (holds, self.entries(lookups).map(|entries| entries.get(&code))) {
            (Holds::Code, None | Some(Some(_))) => Ok(code),
            (Holds::Id, Some(Some(id))) => Ok(id.clone()),
            (Holds::Id, None) => Err(LensProblem::UnreadList { list: self }),
            (Holds::Code | Holds::Id, Some(None)) => Err(LensProblem::UnknownCode { list: self, code }),
        }
    }

    fn entries(self, lookups: &Lookups) -> Option<&BTreeMap<String, String>> {
        lookups.lists.get(self.name())
    }
}
