//! What of an entity is read: the properties that the pairs in force work with, each from where it can be had.

use std::collections::BTreeSet;

use mapping::{Lens, List, Pair};
use model::System;

use crate::Entity;

#[cfg(test)]
mod tests;

/// When a record or a line was changed, which every read asks for.
const MODIFIED: &str = "Modified";

/// The line's place in its document, by which lines are put in order.
pub(crate) const LINE_NUMBER: &str = "LineNumber";

/// What tells a general price from an agreement, and which of the general ones is in force.
pub(crate) const OF_PRICES: [&str; 8] =
    ["Account", "Employee", "Project", "Price", "Quantity", "StartDate", "EndDate", "NumberOfItemsPerUnit"];

/// The properties of an entity that are read, by the feed that has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// From the entity's own feed.
    pub own: Vec<String>,
    /// From the feed of its parts; `None` where no pair works with any, and then that feed is not read.
    pub parts: Option<Vec<String>>,
    /// From the records themselves, because the header feed lacks them or shows them late.
    pub late: Vec<String>,
    /// From single records: all of it.
    pub records: Vec<String>,
}

impl Selection {
    /// What these pairs work with. Names of CustomCRM never get here.
    pub fn of(entity: &Entity, pairs: &[Pair]) -> Self {
        let pairs: Vec<&Pair> =
            pairs.iter().filter(|pair| pair.entities.exactonline.as_str() == entity.name).collect();
        let names: BTreeSet<&str> = pairs.iter().flat_map(|pair| pair.names(System::ExactOnline)).collect();
        let line_names: BTreeSet<&str> =
            pairs.iter().flat_map(|pair| pair.line_names(System::ExactOnline)).collect();
        let is_fed = |name: &&str| entity.fact(name).is_none_or(|fact| fact.fed);
        let price = entity.price_name().filter(|price| names.contains(price));
        let own = names.iter().copied().filter(is_fed).chain([MODIFIED]);
        let late = names.iter().copied().filter(|name| {
            entity.has_lines()
                && (entity.late.contains(name) || !is_fed(name))
                && entity.lines_name() != Some(*name)
        });
        let late = texts(late);
        let parts = if entity.has_lines() && !(line_names.is_empty() && late.is_empty()) {
            Some(texts(line_names.into_iter().chain([LINE_NUMBER, MODIFIED])))
        } else {
            price.map(|_| texts(OF_PRICES.into_iter().chain([MODIFIED])))
        };
        let records = texts(names.iter().copied().chain([MODIFIED]));
        Self { own: texts(own), parts, late, records }
    }

    /// From single parts, which do not tell when they were changed.
    pub fn single_parts(&self) -> Vec<&str> {
        self.parts.iter().flatten().map(String::as_str).filter(|name| *name != MODIFIED).collect()
    }
}

/// The lists whose codes these pairs work with.
pub fn lists(pairs: &[Pair]) -> BTreeSet<List> {
    let list = |lens: &Lens| match lens {
        Lens::Lookup { list, .. } => Some(*list),
        _ => None,
    };
    pairs.iter().flat_map(Pair::rows).filter_map(|row| list(&row.lens)).collect()
}

fn texts<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}
