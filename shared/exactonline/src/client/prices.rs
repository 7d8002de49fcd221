//! An item's own sales price, which Exact keeps in a record beside the item.
//!
//! A new item comes with one such record, of zero (a fact of the API). A second one would stand beside it or be an
//! agreement with somebody, so none is ever made here.

use model::{Content, Properties, RecordId};
use store::Store;

use super::ExactOnline;
use crate::{
    Error, Parts, Priority,
    documents::{PRICE, currencies, price_in_force},
    selection::OF_PRICES,
};

/// An item's own sales price as Exact holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPrice {
    /// The record that holds it.
    pub record: RecordId,
    /// The price.
    pub price: Content,
}

impl<S: Store> ExactOnline<S> {
    /// The record among an item's prices that its sales price is read from today; [`Error::NoOwnPrice`] when there is
    /// none, and [`Error::SeveralCurrencies`] when nothing tells which it is.
    pub async fn own_price(
        &self,
        prices: Parts,
        item: &RecordId,
        priority: Priority,
    ) -> Result<OwnPrice, Error> {
        let not_a_guid = || Error::NotAGuid { record: item.clone() };
        let filter = prices.condition(item.as_str()).ok_or_else(not_a_guid)?;
        let select = [OF_PRICES.as_slice(), &["Currency"]].concat();
        let found = self.find(prices.resource, &filter, &select, priority).await?;
        let (all, today) = (found.iter().map(|price| &price.properties), self.today());
        if currencies(all.clone(), today).len() > 1 {
            return Err(Error::SeveralCurrencies { item: item.clone() });
        }
        let own = price_in_force(all, today);
        let own = found.iter().find(|price| Some(&price.properties) == own);
        let own = own.ok_or_else(|| Error::NoOwnPrice { item: item.clone() })?;
        let price = own.properties.get(PRICE).cloned().unwrap_or(Content::Null);
        Ok(OwnPrice { record: own.id.clone(), price })
    }

    /// Writes a price into the record that holds it.
    pub async fn set_own_price(
        &self,
        prices: Parts,
        record: &RecordId,
        price: &Content,
        priority: Priority,
    ) -> Result<(), Error> {
        let properties = Properties::from([(PRICE.to_owned(), price.clone())]);
        self.update(prices.resource, record, &properties, priority).await
    }
}
