use reqwest::Method;
use serde_json::{Value, json};

use crate::http::Http;
use crate::pocketbase::{self, schema::is_document};

/// A person's hands in a CRM of either kind: what is done here is done by plain HTTP, as a person's browser does it.
///
/// A call that the CRM refuses ends the test with the CRM's words.
#[derive(Debug, Clone)]
pub struct Crm {
    http: Http,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The lines of a document are a list in it.
    JsonServer,
    /// They are records of a collection of their own.
    PocketBase,
}

impl Crm {
    pub(crate) fn new(http: Http, kind: Kind) -> Self {
        Self { http, kind }
    }

    /// The address that a connection names.
    pub fn url(&self) -> &str {
        self.http.address()
    }

    /// The secret that a connection's token file holds, where the CRM wants one.
    pub fn token(&self) -> Option<&str> {
        self.http.token()
    }

    /// All records of a collection, a document with its `Lines`.
    pub async fn records(&self, collection: &str) -> Vec<Value> {
        let mut records = self.listed(collection, None).await;
        if self.kind == Kind::PocketBase && is_document(collection) {
            for record in &mut records {
                let lines = self.children(collection, text(record, "id")).await;
                record["Lines"] = Value::Array(lines);
            }
        }
        records
    }

    /// The record of this id, if it is there.
    pub async fn record(&self, collection: &str, id: &str) -> Option<Value> {
        let mut record = self.http.get(&format!("{}/{id}", self.path(collection)), &[]).await?;
        if self.kind == Kind::PocketBase && is_document(collection) {
            record["Lines"] = Value::Array(self.children(collection, id).await);
        }
        Some(record)
    }

    /// Makes a record, a document with its `Lines`; gives its id.
    pub async fn create(&self, collection: &str, record: &Value) -> String {
        let mut record = record.clone();
        let lines = match self.kind {
            Kind::JsonServer => Value::Null,
            Kind::PocketBase => record["Lines"].take(),
        };
        if let (Kind::PocketBase, Some(properties)) = (self.kind, record.as_object_mut()) {
            properties.remove("Lines");
        }
        let made = self.http.send(Method::POST, &self.path(collection), &record).await;
        let id = text(&made, "id").to_owned();
        for line in lines.as_array().into_iter().flatten() {
            self.add_line(collection, &id, line).await;
        }
        id
    }

    /// Changes these properties of a record and leaves the others.
    pub async fn change(&self, collection: &str, id: &str, properties: &Value) {
        self.http.send(Method::PATCH, &format!("{}/{id}", self.path(collection)), properties).await;
    }

    /// Deletes a record, a document with its lines.
    pub async fn delete(&self, collection: &str, id: &str) {
        self.http.delete(&format!("{}/{id}", self.path(collection))).await;
    }

    /// Adds a line behind the others.
    pub async fn add_line(&self, collection: &str, document: &str, line: &Value) {
        match self.kind {
            Kind::JsonServer => {
                self.with_lines(collection, document, |lines| lines.push(line.clone())).await;
            }
            Kind::PocketBase => {
                let mut line = line.clone();
                line["parent"] = json!(document);
                let path = self.path(pocketbase::lines_of(collection));
                self.http.send(Method::POST, &path, &line).await;
            }
        }
    }

    /// Changes these properties of a document's line, which is told by its place: the first is 0.
    pub async fn change_line(&self, collection: &str, document: &str, place: usize, properties: &Value) {
        match self.kind {
            Kind::JsonServer => {
                let change = |lines: &mut Vec<Value>| {
                    for (name, value) in properties.as_object().unwrap() {
                        lines[place][name] = value.clone();
                    }
                };
                self.with_lines(collection, document, change).await;
            }
            Kind::PocketBase => {
                let path = self.child(collection, document, place).await;
                self.http.send(Method::PATCH, &path, properties).await;
            }
        }
    }

    /// Removes a document's line, which is told by its place: the first is 0.
    pub async fn remove_line(&self, collection: &str, document: &str, place: usize) {
        match self.kind {
            Kind::JsonServer => {
                self.with_lines(collection, document, |lines| drop(lines.remove(place))).await;
            }
            Kind::PocketBase => self.http.delete(&self.child(collection, document, place).await).await,
        }
    }

    /// A person's program that has lines in their document sends all of them.
    async fn with_lines(&self, collection: &str, document: &str, change: impl FnOnce(&mut Vec<Value>)) {
        let mut record = self.record(collection, document).await.unwrap();
        let mut lines = match record["Lines"].take() {
            Value::Array(lines) => lines,
            _ => Vec::new(),
        };
        change(&mut lines);
        self.change(collection, document, &json!({ "Lines": lines })).await;
    }

    /// Where a line is that is a record of its own.
    async fn child(&self, collection: &str, document: &str, place: usize) -> String {
        let lines = self.children(collection, document).await;
        format!("{}/{}", self.path(pocketbase::lines_of(collection)), text(&lines[place], "id"))
    }

    async fn children(&self, collection: &str, document: &str) -> Vec<Value> {
        let filter = format!("parent = '{document}'");
        self.listed(pocketbase::lines_of(collection), Some(&filter)).await
    }

    /// A test's company is small: one page holds it.
    async fn listed(&self, collection: &str, filter: Option<&str>) -> Vec<Value> {
        let path = self.path(collection);
        let list = match self.kind {
            Kind::JsonServer => self.http.get(&path, &[]).await,
            Kind::PocketBase => {
                let mut query = vec![("perPage", "1000"), ("sort", "created,@rowid")];
                query.extend(filter.map(|filter| ("filter", filter)));
                self.http.get(&path, &query).await.map(|mut page| page["items"].take())
            }
        };
        match list {
            Some(Value::Array(list)) => list,
            other => panic!("{path} is no list: {other:?}"),
        }
    }

    fn path(&self, collection: &str) -> String {
        match self.kind {
            Kind::JsonServer => format!("/{collection}"),
            Kind::PocketBase => format!("/{collection}/records"),
        }
    }
}

fn text<'a>(record: &'a Value, property: &str) -> &'a str {
    record[property].as_str().unwrap_or_else(|| panic!("{property} is no text in {record}"))
}
