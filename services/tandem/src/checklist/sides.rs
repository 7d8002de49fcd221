//! The two systems as the checklist edits and reads them: a person's hands and eyes, through the connectors.

use customcrm::CustomCrm;
use exactonline::{Entity, ExactOnline, Priority, Resource};
use mapping::{LinePut, Pair, Put};
use model::{Content, Properties, RecordId, System, Version};
use rust_decimal::Decimal;
use store::Store;
use uuid::Uuid;

use super::ChecklistError;

/// Both systems of one connection.
pub(crate) struct Sides<S> {
    pub(crate) crm: CustomCrm<S>,
    pub(crate) exact: ExactOnline<S>,
}

/// The key of quotations.
const QUOTATION_ID: &str = "QuotationID";

/// The status of a printed quotation (a fact of the API).
const PRINTED: Decimal = Decimal::from_parts(40, 0, 0, false, 0);

impl<S: Store> Sides<S> {
    /// A record as its system holds it now, its lines among its properties.
    pub(crate) async fn read(
        &self,
        pair: &Pair,
        system: System,
        record: &RecordId,
    ) -> Result<Properties, ChecklistError> {
        match system {
            System::CustomCrm => {
                Ok(self.crm.record(pair.entities.customcrm.as_str(), record).await?.properties)
            }
            System::ExactOnline => self.read_exact(pair, record).await,
        }
    }

    async fn read_exact(&self, pair: &Pair, record: &RecordId) -> Result<Properties, ChecklistError> {
        let entity = entity(pair)?;
        let select = pair.names(System::ExactOnline);
        let mut properties =
            self.exact.record(entity.resource, record, &select, Priority::Edit).await?.properties;
        if let (Some(lines), Some(parts)) = (&pair.lines, &entity.parts) {
            let select = pair.line_names(System::ExactOnline);
            let filter = format!("{} eq guid'{record}'", parts.parent);
            let found = self.exact.find(parts.resource, &filter, &select, Priority::Edit).await?;
            let list = found.into_iter().map(|line| Content::Object(line.properties)).collect();
            properties.insert(lines.names.exactonline.clone(), Content::List(list));
        }
        Ok(properties)
    }

    /// Changes a record as a person would.
    pub(crate) async fn change(
        &self,
        pair: &Pair,
        system: System,
        record: &RecordId,
        put: &Put,
    ) -> Result<(), ChecklistError> {
        match system {
            System::CustomCrm => self.change_crm(pair, record, put).await,
            System::ExactOnline => self.change_exact(pair, record, put).await,
        }
    }

    async fn change_crm(&self, pair: &Pair, record: &RecordId, put: &Put) -> Result<(), ChecklistError> {
        let collection = pair.entities.customcrm.as_str();
        // A person's form is not refused for what our own services wrote in between: it is filled in again.
        loop {
            let version = self.crm.record(collection, record).await?.version.unwrap_or(Version(0));
            match self.crm.update(collection, record, version, put).await {
                Err(customcrm::Error::Stale { .. }) => {}
                done => return done.map(|_| ()).map_err(ChecklistError::from),
            }
        }
    }

    async fn change_exact(&self, pair: &Pair, record: &RecordId, put: &Put) -> Result<(), ChecklistError> {
        let entity = entity(pair)?;
        let mut properties = put.properties.clone();
        if let Some(price) = entity.take_price(&mut properties) {
            self.set_price(&entity, record, &price).await?;
        }
        if !properties.is_empty() {
            self.exact.update(entity.resource, record, &properties, Priority::Edit).await?;
        }
        let Some(parts) = &entity.parts else { return Ok(()) };
        for line in &put.lines {
            match line {
                LinePut::Add(line) => {
                    let mut line = line.clone();
                    line.insert(parts.parent.to_owned(), Content::from(record.as_str()));
                    self.exact.create(parts.resource, &line, Priority::Edit).await?;
                }
                LinePut::Change { id, properties } => {
                    self.exact.update(parts.resource, id, properties, Priority::Edit).await?;
                }
                LinePut::Remove { id } => self.exact.delete(parts.resource, id, Priority::Edit).await?,
            }
        }
        Ok(())
    }

    /// Makes a record as a person would.
    pub(crate) async fn make(
        &self,
        pair: &Pair,
        system: System,
        put: &Put,
    ) -> Result<RecordId, ChecklistError> {
        let mut properties = put.properties.clone();
        if let Some(lines) = &pair.lines {
            let list = put.added().cloned().map(Content::Object).collect();
            properties.insert(lines.names[system].clone(), Content::List(list));
        }
        match system {
            System::CustomCrm => {
                let key = Uuid::new_v4().to_string();
                Ok(self.crm.create(pair.entities.customcrm.as_str(), &properties, &key).await?.id)
            }
            System::ExactOnline => {
                let entity = entity(pair)?;
                let price = entity.take_price(&mut properties);
                let record = self.exact.create(entity.resource, &properties, Priority::Edit).await?.id;
                if let Some(price) = price {
                    self.set_price(&entity, &record, &price).await?;
                }
                Ok(record)
            }
        }
    }

    /// Carries out an action with a quotation, such as rejecting it.
    pub(crate) async fn act(&self, path: &str, quotation: &RecordId) -> Result<(), ChecklistError> {
        let id = Properties::from([(QUOTATION_ID.to_owned(), Content::from(quotation.as_str()))]);
        let form = self.exact.create(Resource::unauthored(path, QUOTATION_ID), &id, Priority::Edit).await?;
        // An action that could not be done is told in an answer of success.
        match form.properties.get("ErrorMessage").and_then(Content::as_text) {
            Some(words) if !words.is_empty() => Err(ChecklistError::Stage(format!("{path}: {words}"))),
            _ => Ok(()),
        }
    }

    /// Prints a quotation that is not printed yet: only then can it be accepted, rejected or reviewed.
    pub(crate) async fn print(&self, quotation: &RecordId) -> Result<(), ChecklistError> {
        let quotations = Resource::authored("crm/Quotations", QUOTATION_ID);
        let found = self.exact.record(quotations, quotation, &["Status"], Priority::Edit).await?;
        if found.properties.get("Status") == Some(&Content::Number(PRINTED)) {
            return Ok(());
        }
        self.act("crm/PrintQuotation", quotation).await
    }

    /// Sets the sales price of an item in its own record of prices.
    pub(crate) async fn set_price(
        &self,
        entity: &Entity,
        item: &RecordId,
        price: &Content,
    ) -> Result<(), ChecklistError> {
        let Some(prices) = entity.parts else { return Ok(()) };
        let own = self.exact.own_price(prices, item, Priority::Edit).await?;
        Ok(self.exact.set_own_price(prices, &own.record, price, Priority::Edit).await?)
    }
}

/// The entity of a pair in Exact.
pub(crate) fn entity(pair: &Pair) -> Result<Entity, ChecklistError> {
    let name = &pair.entities.exactonline;
    Entity::named(name.as_str()).ok_or_else(|| ChecklistError::Stage(format!("Exact has no entity {name}")))
}

impl<S: Store> Sides<S> {
    /// Sets one property of a record in Exact.
    pub(crate) async fn set(
        &self,
        pair: &Pair,
        record: &RecordId,
        name: &str,
        content: Content,
    ) -> Result<(), ChecklistError> {
        let properties = Properties::from([(name.to_owned(), content)]);
        Ok(self.exact.update(entity(pair)?.resource, record, &properties, Priority::Edit).await?)
    }

    /// What Exact's record holds in a property that is no row, in a few words; of a list of lines, how many.
    pub(crate) async fn property(
        &self,
        pair: &Pair,
        record: &RecordId,
        name: &str,
    ) -> Result<Option<String>, ChecklistError> {
        let entity = entity(pair)?;
        if let Some(parts) = entity.parts.filter(|_| entity.lines_name() == Some(name)) {
            let filter = format!("{} eq guid'{record}'", parts.parent);
            let lines = self.exact.find(parts.resource, &filter, &["ID"], Priority::Edit).await?;
            return Ok((!lines.is_empty()).then(|| format!("{} lines", lines.len())));
        }
        let found = self.exact.record(entity.resource, record, &[name], Priority::Edit).await?;
        Ok(found.properties.get(name).and_then(Content::as_text).map(str::to_owned))
    }

    /// Sets properties of the account that a contact belongs to.
    pub(crate) async fn set_account(
        &self,
        pair: &Pair,
        contact: &RecordId,
        properties: &Properties,
    ) -> Result<(), ChecklistError> {
        let contact = self.read(pair, System::ExactOnline, contact).await?;
        let account =
            contact.get("Account").and_then(Content::as_text).and_then(|id| RecordId::parse(id).ok());
        let account =
            account.ok_or_else(|| ChecklistError::Stage("the contact has no account".to_owned()))?;
        let accounts = Resource::authored("crm/Accounts", "ID");
        Ok(self.exact.update(accounts, &account, properties, Priority::Edit).await?)
    }

    /// Adds one to the quantity of a document's first line.
    pub(crate) async fn raise_quantity(&self, pair: &Pair, record: &RecordId) -> Result<(), ChecklistError> {
        let none = || ChecklistError::Stage("the document has no line".to_owned());
        let (lines, parts) = (pair.lines.as_ref().ok_or_else(none)?, entity(pair)?.parts.ok_or_else(none)?);
        let document = self.read(pair, System::ExactOnline, record).await?;
        let Some(Content::List(list)) = document.get(&lines.names.exactonline) else { return Err(none()) };
        let Some(Content::Object(line)) = list.first() else { return Err(none()) };
        let id = line.get("ID").and_then(Content::as_text).and_then(|id| RecordId::parse(id).ok());
        let quantity = match line.get("Quantity") {
            Some(Content::Number(quantity)) => *quantity,
            _ => Decimal::ZERO,
        };
        let properties =
            Properties::from([("Quantity".to_owned(), Content::Number(quantity + Decimal::ONE))]);
        Ok(self.exact.update(parts.resource, &id.ok_or_else(none)?, &properties, Priority::Edit).await?)
    }
}
