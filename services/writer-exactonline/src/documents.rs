//! Writing a document: its header in one call, each of its lines, or its price, in one of its own.

use contract::Sighting;
use exactonline::{Document, Error, Parts, Source};
use mapping::{LinePut, Put};
use model::{Content, Properties, Record, RecordId, Version};
use store::Store;
use writer::Aim;

use crate::feed::Feed;
use crate::reading::{Awaited, or_untold};
use crate::target::{Division, WriteError, priority};

impl<S: Store> Division<S> {
    /// Changes a record that comes in parts, and its lines or its price. Exact has no call for a whole document: when
    /// one of several fails, those before it have happened, and the next attempt finds the document changed.
    pub(crate) async fn update_whole(
        &self,
        aim: Aim<'_>,
        id: &RecordId,
        version: Option<Version>,
        put: &Put,
    ) -> Result<Option<Sighting>, WriteError> {
        let feed = self.feed(aim.entity)?;
        let document = self.document(feed, id).await?;
        let before = document.as_ref().and_then(Document::version);
        if before > version {
            return Err(WriteError::Stale { record: id.clone() });
        }
        let mut awaited = Awaited { before, ..Awaited::default() };
        let mut properties = put.properties.clone();
        let price = feed.entity.take_price(&mut properties);
        let repricing = match &price {
            Some(price) => self.repricing(aim, &feed.entity, id, document.as_ref(), price).await?,
            None => None,
        };
        if !properties.is_empty() {
            self.client.update(feed.entity.resource, id, &properties, priority(aim)).await?;
            awaited.header = Some(known(document.as_ref().and_then(Document::header_version)));
            awaited.last = Some(Source::Own);
        }
        if let Some(repricing) = repricing {
            self.reprice(aim, id, repricing, &mut awaited).await?;
        }
        if let Some(parts) = feed.entity.parts.filter(|_| feed.entity.has_lines()) {
            for line in in_order(&put.lines) {
                match line {
                    LinePut::Change { id: line, .. } => {
                        let before = document.as_ref().and_then(|document| document.part_version(line));
                        awaited.changed.push((line.clone(), known(before)));
                    }
                    LinePut::Remove { id: line } => awaited.removed.push(line.clone()),
                    LinePut::Add(_) => {}
                }
                awaited.added.extend(self.write_line(aim, parts, id, line).await?);
                let is_removal = matches!(line, LinePut::Remove { .. });
                awaited.last = Some(if is_removal { Source::Deleted } else { Source::Parts });
            }
        }
        Ok(or_untold(id, self.shown_whole(aim.entity, id, &awaited).await))
    }

    /// Writes one line; gives its id when it is new.
    async fn write_line(
        &self,
        aim: Aim<'_>,
        parts: Parts,
        document: &RecordId,
        line: &LinePut,
    ) -> Result<Option<RecordId>, WriteError> {
        let (lines, priority) = (parts.resource, priority(aim));
        match line {
            LinePut::Change { id, properties } => {
                match self.client.update(lines, id, properties, priority).await {
                    // It is the line that is gone, not the document.
                    Err(Error::Gone { .. }) => Err(WriteError::Stale { record: document.clone() }),
                    written => Ok(written.map(|()| None)?),
                }
            }
            LinePut::Remove { id } => match self.client.delete(lines, id, priority).await {
                Ok(()) | Err(Error::Gone { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            },
            LinePut::Add(properties) => {
                let mut properties = properties.clone();
                properties.insert(parts.parent.to_owned(), Content::from(document.as_str()));
                Ok(Some(self.client.create(lines, &properties, priority).await?.id))
            }
        }
    }

    /// A new document as its feeds show it. The answer to its create has not its lines, so where the feeds are late it is
    /// read from the records. Those do not tell who changed a line, and somebody may have: then what differs from what was
    /// sent is an edit, and not what Exact made of it.
    pub(crate) async fn created(
        &self,
        aim: Aim<'_>,
        record: Record,
        properties: &Properties,
    ) -> Result<Sighting, WriteError> {
        let feed = self.feed(aim.entity)?;
        let sent = feed.entity.lines_name().and_then(|name| properties.get(name));
        let count = match sent {
            Some(Content::List(lines)) => lines.len(),
            _ => 0,
        };
        if feed.documents.is_some() {
            let awaited =
                Awaited { header: Some(Version(0)), count, last: Some(Source::Parts), ..Awaited::default() };
            let shown = self.shown_whole(aim.entity, &record.id, &awaited).await;
            if let Some(shown) = or_untold(&record.id, shown) {
                return Ok(shown);
            }
        }
        // Told without its lines it would look as if they had been removed: it is better searched for again.
        let whole = self.with_lines(feed, record, priority(aim)).await.map_err(|error| match error {
            WriteError::Exact(error) => Error::WriteUnreadable(Box::new(error)).into(),
            other => other,
        })?;
        Ok(Sighting { record: whole, by_us: false })
    }

    /// A record as a search found it, or as its feeds showed it with all its parts.
    pub(crate) async fn whole(
        &self,
        feed: &Feed<S>,
        record: Record,
        priority: exactonline::Priority,
    ) -> Result<Sighting, WriteError> {
        if let Some(document) = self.document(feed, &record.id).await?
            && let Some(told) = self.told(feed, document, None, priority).await?
        {
            return Ok(told);
        }
        let record = self.with_lines(feed, record, priority).await?;
        self.sighting(record).await
    }
}

/// A version that was seen; that of what was not seen is below all.
fn known(version: Option<Version>) -> Version {
    version.unwrap_or(Version(0))
}

/// What changes first, then what is new, then what goes: Exact may refuse to leave a document without any line, be it for
/// a moment.
fn in_order(lines: &[LinePut]) -> impl Iterator<Item = &LinePut> {
    let of = |wanted: fn(&LinePut) -> bool| lines.iter().filter(move |line| wanted(line));
    of(|line| matches!(line, LinePut::Change { .. }))
        .chain(of(|line| matches!(line, LinePut::Add(_))))
        .chain(of(|line| matches!(line, LinePut::Remove { .. })))
}
