//! Writing: records made, changed and deleted, lines and all.

use contract::json::{write_content, write_properties};
use mapping::{LinePut, Put};
use model::{Content, Properties, Record, RecordId, Version};
use reqwest::{Method, RequestBuilder, header::IF_MATCH};
use store::Store;

use super::CustomCrm;
use wire::{Answer, Effect};

use crate::{
    Error,
    declaration::{Collection, Lines, LinesStyle, Lock, UpdateMethod},
    path::Path,
    record::{name, version_content},
    transport::with_json,
};

impl<S: Store> CustomCrm<S> {
    /// Whether the same create, made twice, makes one record.
    pub fn repeats_creates(&self) -> bool {
        self.declaration.create.is_put || self.declaration.create.idempotency_header.is_some()
    }

    /// Whether the CRM refuses a write by itself when somebody has changed the record meanwhile.
    pub fn refuses_stale_writes(&self, entity: &str) -> bool {
        let locks = self.declaration.lock != Lock::None;
        locks && self.collection(entity).is_ok_and(Collection::tells_versions)
    }

    /// Creates a record, its lines among its properties. Where the CRM takes an idempotency key, the same key and
    /// properties give the first answer again instead of a second record.
    pub async fn create(
        &self,
        entity: &str,
        properties: &Properties,
        idempotency_key: &str,
    ) -> Result<Record, Error> {
        let collection = self.collection(entity)?;
        let (properties, children) = collection.new_document(properties);
        let create = &self.declaration.create;
        let body = self.sent(&properties);
        let (method, id) =
            if create.is_put { (Method::PUT, Some(idempotency_key)) } else { (Method::POST, None) };
        let mut request = self.transport.request(method, &collection.path, id).query(&collection.query);
        if let Some(header) = &create.idempotency_header {
            request = request.header(header, idempotency_key);
        }
        for (name, value) in &create.headers {
            request = request.header(name, value);
        }

        let answer = self.transport.send(Effect::Write, with_json(request, "application/json", body)).await?;
        let answer = self.success(Effect::Write, answer)?;
        let properties = self.in_answer(&answer.body).map_err(unreadable)?;
        let record = crate::record::id(&collection.record, &properties).map_err(unreadable)?;
        if children.is_empty() {
            return self.written(collection, properties).await;
        }
        self.write_children(collection, &record, &children).await?;
        self.left(entity, &record).await
    }

    /// Changes what is given and leaves the rest, if the record still has this version, where the CRM can tell; else
    /// [`Error::Stale`], and nothing is written.
    pub async fn update(
        &self,
        entity: &str,
        id: &RecordId,
        version: Version,
        put: &Put,
    ) -> Result<Record, Error> {
        let collection = self.collection(entity)?;
        let style = collection.lines.as_ref().map(|lines| &lines.style);
        let (mut properties, mut children) = (put.properties.clone(), Vec::new());
        if let (Some(lines), Some(style)) = (&collection.lines, style)
            && !put.lines.is_empty()
        {
            match style {
                LinesStyle::Patched { removed } => {
                    let list = put.lines.iter().map(|line| lines.patched(line, removed)).collect();
                    properties.insert(lines.property.clone(), Content::List(list));
                }
                LinesStyle::Whole => {
                    let present = self.record(entity, id).await?;
                    let list = lines.applied(present.properties.get(&lines.property), &put.lines);
                    properties.insert(lines.property.clone(), Content::List(list));
                }
                LinesStyle::Children { .. } => children.clone_from(&put.lines),
            }
        }
        let mut after = None;
        if !properties.is_empty() {
            let answer = self.patch(collection, id, version, &collection.outward(&properties)).await?;
            after = Some(self.in_answer(&answer.body).map_err(unreadable)?);
        }
        if !children.is_empty() {
            self.write_children(collection, id, &children).await?;
        }
        match after {
            Some(properties) if children.is_empty() => self.written(collection, properties).await,
            _ => self.left(entity, id).await,
        }
    }

    /// Deletes a record that is still at this version, where the CRM can tell, or archives it, where that is declared.
    pub async fn delete(&self, entity: &str, id: &RecordId, version: Version) -> Result<(), Error> {
        let collection = self.collection(entity)?;
        if !collection.archive.is_empty() {
            let mut properties = Properties::new();
            for (path, content) in &collection.archive {
                path.put(&mut properties, content.clone());
            }
            return self.patch(collection, id, version, &properties).await.map(|_| ());
        }
        if let Some(Lines { style: LinesStyle::Children { path, parent }, .. }) = &collection.lines {
            self.delete_children(collection, path, parent, id).await?;
        }
        let request = self.transport.request(Method::DELETE, &collection.path, Some(id.as_str()));
        let request = self.locked(request, collection, version);
        let answer = self.transport.send(Effect::Write, request).await?;
        self.of_record(Effect::Write, collection, id, answer).map(|_| ())
    }

    /// Changes properties, all in the CRM's own words, in the way that it is declared to take.
    async fn patch(
        &self,
        collection: &Collection,
        id: &RecordId,
        version: Version,
        properties: &Properties,
    ) -> Result<Answer, Error> {
        let mut properties = properties.clone();
        if let (Lock::VersionProperty, Some(path)) = (self.declaration.lock, &collection.record.version) {
            path.put(&mut properties, version_content(version));
        }
        let update = &self.declaration.update;
        let (method, body) = match update.method {
            UpdateMethod::MergePatch => (Method::PATCH, self.sent(&properties)),
            UpdateMethod::JsonPatch => (Method::PATCH, operations(&properties)),
            UpdateMethod::Put => {
                let request = self.transport.request(Method::GET, &collection.path, Some(id.as_str()));
                let answer = self.transport.send(Effect::Read, request.query(&collection.query)).await?;
                let present = self.of_record(Effect::Read, collection, id, answer)?;
                let mut whole = self.in_answer(&present.body)?;
                merge(&mut whole, &properties);
                (Method::PUT, self.sent(&whole))
            }
        };
        let request = self.transport.request(method, &collection.path, Some(id.as_str()));
        let request = self.locked(request.query(&collection.query), collection, version);
        let request = with_json(request, &update.content_type, body);
        let answer = self.transport.send(Effect::Write, request).await?;
        self.of_record(Effect::Write, collection, id, answer)
    }

    fn locked(&self, request: RequestBuilder, collection: &Collection, version: Version) -> RequestBuilder {
        if self.declaration.lock == Lock::IfMatch && collection.tells_versions() {
            request.header(IF_MATCH, format!("\"{}\"", version.0))
        } else {
            request
        }
    }

    async fn write_children(
        &self,
        collection: &Collection,
        document: &RecordId,
        changes: &[LinePut],
    ) -> Result<(), Error> {
        let Some(Lines { style: LinesStyle::Children { path, parent }, shape, id: key, .. }) =
            &collection.lines
        else {
            return Ok(());
        };
        for change in changes {
            let (method, id, body) = match change {
                LinePut::Add(properties) => {
                    let mut properties = properties.clone();
                    properties.remove(key);
                    let mut line = shape.write(&properties);
                    parent.put(&mut line, Content::from(document.as_str()));
                    (Method::POST, None, Some(line))
                }
                LinePut::Change { id, properties } => {
                    (Method::PATCH, Some(id), Some(shape.write(properties)))
                }
                LinePut::Remove { id } => (Method::DELETE, Some(id), None),
            };
            let content_type = match method {
                Method::POST => "application/json",
                _ => &self.declaration.update.content_type,
            };
            let mut request = self.transport.request(method, path, id.map(RecordId::as_str));
            if let Some(body) = body {
                request = with_json(request, content_type, self.sent(&body));
            }
            let answer = self.transport.send(Effect::Write, request).await?;
            // A line that is gone is what was wanted of one that goes; of another, the next read tells.
            if id.is_none() || answer.status.is_success() {
                self.success(Effect::Write, answer)?;
            }
        }
        Ok(())
    }

    /// Deletes the lines of a document that goes, for nothing else would.
    async fn delete_children(
        &self,
        collection: &Collection,
        path: &str,
        parent: &Path,
        document: &RecordId,
    ) -> Result<(), Error> {
        let Some(lines) = &collection.lines else { return Ok(()) };
        let there = self.children(collection, lines, path, parent, document).await?;
        let gone = |line: &Content| match line {
            Content::Object(line) => {
                let id = RecordId::parse(&line.get(&lines.id).and_then(name)?).ok()?;
                Some(LinePut::Remove { id })
            }
            _ => None,
        };
        let gone: Vec<LinePut> = there.iter().filter_map(gone).collect();
        self.write_children(collection, document, &gone).await
    }

    /// The record that a write left, in its answer; the write has happened, whatever its answer looks like.
    async fn written(&self, collection: &Collection, properties: Properties) -> Result<Record, Error> {
        let seen_at = self.moment(collection).await.map_err(unreadable)?;
        let mut whole = self.whole(collection, vec![properties], seen_at).await.map_err(unreadable)?;
        whole.pop().ok_or_else(|| unreadable(Error::Unexpected { what: "has no record".to_owned() }))
    }

    /// The record that several writes left.
    async fn left(&self, entity: &str, id: &RecordId) -> Result<Record, Error> {
        self.record(entity, id).await.map_err(unreadable)
    }

    /// A record as it is sent.
    fn sent(&self, properties: &Properties) -> String {
        match &self.declaration.answer.sent {
            None => write_properties(properties),
            Some(path) => {
                let mut wrapped = Properties::new();
                path.put(&mut wrapped, Content::Object(properties.clone()));
                write_properties(&wrapped)
            }
        }
    }
}

impl Collection {
    /// Properties as the CRM calls and writes them, lines among them.
    fn outward(&self, properties: &Properties) -> Properties {
        let mut properties = properties.clone();
        if let Some(lines) = &self.lines
            && let Some(Content::List(list)) = properties.get_mut(&lines.property)
        {
            for line in list {
                if let Content::Object(members) = line {
                    *members = lines.shape.write(members);
                }
            }
        }
        self.shape.write(&properties)
    }

    /// A new record as it is sent, and the lines that are made after it.
    fn new_document(&self, properties: &Properties) -> (Properties, Vec<LinePut>) {
        let Some(lines) = &self.lines else { return (self.outward(properties), Vec::new()) };
        let mut properties = properties.clone();
        let listed = match properties.remove(&lines.property) {
            Some(Content::List(list)) => list,
            _ => Vec::new(),
        };
        let members = listed.into_iter().filter_map(|line| match line {
            Content::Object(members) => Some(members),
            _ => None,
        });
        if matches!(lines.style, LinesStyle::Children { .. }) {
            let children = members.map(LinePut::Add).collect();
            return (self.outward(&properties), children);
        }
        let is_whole = lines.style == LinesStyle::Whole;
        let list =
            members.map(|members| Content::Object(if is_whole { lines.with_id(members) } else { members }));
        let list: Vec<Content> = list.collect();
        if !list.is_empty() {
            properties.insert(lines.property.clone(), Content::List(list));
        }
        (self.outward(&properties), Vec::new())
    }
}

impl Lines {
    /// A line of a list of which only what changes is sent.
    fn patched(&self, change: &LinePut, removed: &str) -> Content {
        let with_id = |mut line: Properties, id: &RecordId| {
            line.insert(self.id.clone(), Content::from(id.as_str()));
            line
        };
        Content::Object(match change {
            LinePut::Add(properties) => properties.clone(),
            LinePut::Change { id, properties } => with_id(properties.clone(), id),
            LinePut::Remove { id } => with_id([(removed.to_owned(), Content::Boolean(true))].into(), id),
        })
    }

    /// The whole list after these changes.
    pub(crate) fn applied(&self, present: Option<&Content>, changes: &[LinePut]) -> Vec<Content> {
        let present = match present {
            Some(Content::List(list)) => list.as_slice(),
            _ => &[],
        };
        let mut list: Vec<Properties> = present
            .iter()
            .filter_map(|line| match line {
                // What was left out stays so.
                Content::Object(members) => {
                    let is_left_out = |(name, content): &(&String, &Content)| {
                        **content == Content::Null && self.shape.left_out.contains(name)
                    };
                    let held = members.iter().filter(|member| !is_left_out(member));
                    Some(held.map(|(name, content)| (name.clone(), content.clone())).collect())
                }
                _ => None,
            })
            .collect();
        let is = |line: &Properties, id: &RecordId| {
            line.get(&self.id).and_then(name).is_some_and(|name| name == id.as_str())
        };
        for change in changes {
            match change {
                LinePut::Add(properties) => list.push(self.with_id(properties.clone())),
                LinePut::Remove { id } => list.retain(|line| !is(line, id)),
                LinePut::Change { id, properties } => {
                    list.iter_mut().filter(|line| is(line, id)).for_each(|line| merge(line, properties));
                }
            }
        }
        list.into_iter().map(Content::Object).collect()
    }

    /// A line of a list that is sent whole has an id of ours.
    fn with_id(&self, mut line: Properties) -> Properties {
        line.entry(self.id.clone()).or_insert_with(|| Content::Text(ambient::new_id().to_string()));
        line
    }
}

/// The write has happened, whatever its answer looks like.
fn unreadable(error: Error) -> Error {
    Error::WriteUnreadable(Box::new(error))
}

/// Puts properties over others, objects into objects; null clears one (RFC 7396).
fn merge(whole: &mut Properties, change: &Properties) {
    for (name, content) in change {
        match (whole.get_mut(name), content) {
            (Some(Content::Object(inner)), Content::Object(change)) => merge(inner, change),
            _ => {
                whole.insert(name.clone(), content.clone());
            }
        }
    }
}

/// The operations that set properties (RFC 6902), those within objects one by one. Of a property that may not be there
/// `add` sets it too.
fn operations(properties: &Properties) -> String {
    let mut operations = Vec::new();
    set(properties, "", &mut operations);
    write_content(&Content::List(operations))
}

fn set(properties: &Properties, within: &str, operations: &mut Vec<Content>) {
    for (name, content) in properties {
        let path = format!("{within}/{}", name.replace('~', "~0").replace('/', "~1"));
        if let Content::Object(inner) = content {
            set(inner, &path, operations);
            continue;
        }
        operations.push(Content::Object(Properties::from([
            ("op".to_owned(), Content::from("add")),
            ("path".to_owned(), Content::Text(path)),
            ("value".to_owned(), content.clone()),
        ])));
    }
}
