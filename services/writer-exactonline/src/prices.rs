//! Writing an item's sales price, which Exact keeps in a record beside the item: never one more, always that one.

use contract::Sighting;
use exactonline::{Document, Entity, Error, OwnPrice, Parts, Source};
use model::{Content, Record, RecordId, Version};
use store::Store;
use writer::Aim;

use crate::reading::{Awaited, or_untold};
use crate::target::{Division, WriteError, priority};

/// A price that differs from the one that Exact holds.
pub(crate) struct Repricing<'a> {
    prices: Parts,
    own: OwnPrice,
    price: &'a Content,
}

impl<S: Store> Division<S> {
    /// Finds where an item's price is to be written; `None` when Exact holds it already. Nothing is written yet, so that
    /// an item without a price of its own is refused whole. `document` is what the feeds have shown of the item.
    pub(crate) async fn repricing<'a>(
        &self,
        aim: Aim<'_>,
        entity: &Entity,
        item: &RecordId,
        document: Option<&Document>,
        price: &'a Content,
    ) -> Result<Option<Repricing<'a>>, WriteError> {
        let Some(prices) = entity.parts else { return Ok(None) };
        let own = self.client.own_price(prices, item, priority(aim)).await?;
        let seen = document.and_then(|document| document.price(&own.record));
        if seen.is_some_and(|seen| *seen != own.price) {
            return Err(WriteError::Repriced { item: item.clone() });
        }
        Ok((own.price != *price).then_some(Repricing { prices, own, price }))
    }

    /// Writes it, and says what the feeds must show then.
    pub(crate) async fn reprice(
        &self,
        aim: Aim<'_>,
        item: &RecordId,
        repricing: Repricing<'_>,
        awaited: &mut Awaited,
    ) -> Result<(), WriteError> {
        let Repricing { prices, own, price } = repricing;
        match self.client.set_own_price(prices, &own.record, price, priority(aim)).await {
            // It is the price that is gone, not the item.
            Err(Error::Gone { .. }) => return Err(WriteError::Repriced { item: item.clone() }),
            written => written?,
        }
        awaited.repriced = Some((own.record, own.price));
        awaited.last = Some(Source::Parts);
        Ok(())
    }

    /// Gives a new item its price. The item is there by now: where that fails, it is searched for before anything is
    /// repeated, found with the price that it came with, and priced like any other.
    pub(crate) async fn created_with_price(
        &self,
        aim: Aim<'_>,
        entity: &Entity,
        mut record: Record,
        price: &Content,
    ) -> Result<Sighting, WriteError> {
        let unpriced = |error| WriteError::Unpriced { item: record.id.clone(), source: Box::new(error) };
        let mut awaited = Awaited { header: Some(Version(0)), ..Awaited::default() };
        match self.repricing(aim, entity, &record.id, None, price).await.map_err(unpriced)? {
            None => return self.sighting(record).await,
            Some(repricing) => {
                self.reprice(aim, &record.id, repricing, &mut awaited).await.map_err(unpriced)?;
            }
        }
        let shown = self.shown_whole(aim.entity, &record.id, &awaited).await;
        if let Some(shown) = or_untold(&record.id, shown) {
            return Ok(shown);
        }
        // The answer to the create tells of the price before.
        entity.take_price(&mut record.properties);
        self.sighting(record).await
    }
}
