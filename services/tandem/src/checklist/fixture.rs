//! The records that the checks are made on: made by a person in the CRM, and linked, before the first check.

use std::collections::BTreeMap;

use mapping::{Pair, Property};
use model::{LineKey, LinkId, PairName, PropertyName, RecordId, Reference, System, Value, View};
use store::Store;

use super::ChecklistError;
use super::stage::Stage;
use super::values::{Known, other};

/// What a new record was given, and how it looks where it arrived; or why it did not.
pub(crate) type Made = Result<(View, View), String>;

/// The records of a checklist.
#[derive(Debug, Default)]
pub(crate) struct Fixture {
    /// The record of each pair that is edited, and where it was made.
    pub(crate) subjects: BTreeMap<PairName, (System, RecordId)>,
    /// For each pair and system, what became of a record made in the other one.
    pub(crate) made: BTreeMap<(PairName, System), Made>,
}

/// Names of the entities of CustomCRM, in the order in which their records depend on one another.
const CUSTOMERS: &str = "customers";
const CONTACTS: &str = "contacts";
const PRODUCTS: &str = "products";
const QUOTES: &str = "quotes";
const ORDERS: &str = "orders";
const USERS: &str = "users";

/// The links that the records under check refer to.
#[derive(Default)]
struct Cast {
    customers: Vec<LinkId>,
    contacts: Vec<LinkId>,
    products: Vec<LinkId>,
    turn: usize,
}

impl Fixture {
    /// Makes all records and waits until they are linked.
    pub(crate) async fn make<S: Store>(stage: &Stage<S>) -> Result<Self, ChecklistError> {
        stage.until_read().await?;
        let mut fixture = Self::default();
        let mut cast = Cast::default();
        let of = |entity: &'static str| {
            stage.pairs.iter().filter(move |pair| pair.entities.customcrm.as_str() == entity)
        };
        for pair in of(CUSTOMERS) {
            for _ in 0..2 {
                let link = fixture.new_record(stage, pair, &mut cast).await?;
                cast.customers.push(link);
            }
        }
        for pair in of(CONTACTS) {
            for _ in 0..2 {
                let link = fixture.new_record(stage, pair, &mut cast).await?;
                cast.contacts.push(link);
            }
            // The contact under check belongs to a customer that no other check edits.
            cast.customers.reverse();
            fixture.new_record(stage, pair, &mut cast).await?;
            cast.customers.reverse();
        }
        for pair in of(PRODUCTS) {
            for _ in 0..3 {
                let link = fixture.new_record(stage, pair, &mut cast).await?;
                cast.products.push(link);
            }
            // The last one is under check, and stands on no line.
            cast.products.pop();
        }
        let mut quotation = None;
        for pair in of(QUOTES) {
            // The first one's quotation shows whose it is; the second one is edited.
            fixture.new_record(stage, pair, &mut cast).await?;
            let record = fixture.subjects.get(&pair.name).map(|(_, record)| record.clone());
            if let Some(record) = record {
                let link = stage.linked(pair, System::CustomCrm, &record).await?;
                quotation = link.and_then(|link| link.record(System::ExactOnline).cloned());
            }
            fixture.new_record(stage, pair, &mut cast).await?;
        }
        for pair in of(ORDERS) {
            fixture.new_record(stage, pair, &mut cast).await?;
        }
        for pair in of(USERS) {
            match &quotation {
                Some(quotation) if pair.is_membership => {
                    let subject = (System::ExactOnline, quotation.clone());
                    fixture.subjects.insert(pair.name.clone(), subject);
                }
                _ => fixture.user(stage, pair).await?,
            }
        }
        for pair in stage.pairs.iter().filter(|pair| pair.creates.customcrm) {
            fixture.made_in_exact(stage, pair, &mut cast).await?;
        }
        Ok(fixture)
    }

    /// Makes a record in the CRM, filled in every row, and waits for its partner.
    async fn new_record<S: Store>(
        &mut self,
        stage: &Stage<S>,
        pair: &Pair,
        cast: &mut Cast,
    ) -> Result<LinkId, ChecklistError> {
        let crm = System::CustomCrm;
        cast.turn += 1;
        let mut values = filled(pair, System::ExactOnline, &stage.known().await?, cast);
        values.extend(status(pair));
        let record = stage.make(pair, crm, &values).await?;
        let link = stage.until_linked(pair, crm, &record).await?;
        let arrived = stage.view(pair, System::ExactOnline, &link).await?;
        self.made.insert((pair.name.clone(), System::ExactOnline), Ok((values, arrived)));
        if pair.entities.customcrm.as_str() != CUSTOMERS || !self.subjects.contains_key(&pair.name) {
            self.subjects.insert(pair.name.clone(), (crm, record));
        }
        Ok(link.id.clone())
    }

    /// A user is not made: it is there. In the literal reading its quotation is made with what the pair fixes.
    async fn user<S: Store>(&mut self, stage: &Stage<S>, pair: &Pair) -> Result<(), ChecklistError> {
        let crm = System::CustomCrm;
        let lookups = stage.lookups().await?;
        let known: Vec<&String> = lookups.people.exactonline.values().collect();
        let user = lookups.people.customcrm.iter().find(|(_, email)| known.contains(email));
        let Some(record) = user.and_then(|(user, _)| RecordId::parse(user.as_str()).ok()) else {
            return Ok(());
        };
        let link = stage.until_linked(pair, crm, &record).await?;
        let mut arrived = stage.view(pair, System::ExactOnline, &link).await?;
        if let Some(quotation) = link.record(System::ExactOnline) {
            arrived.extend(stage.constants(pair, quotation).await?);
        }
        self.made.insert((pair.name.clone(), System::ExactOnline), Ok((View::new(), arrived)));
        self.subjects.insert(pair.name.clone(), (crm, record));
        Ok(())
    }

    /// Makes a record in Exact and waits for its partner in the CRM.
    async fn made_in_exact<S: Store>(
        &mut self,
        stage: &Stage<S>,
        pair: &Pair,
        cast: &mut Cast,
    ) -> Result<(), ChecklistError> {
        let exact = System::ExactOnline;
        cast.turn += 1;
        let values = filled(pair, System::CustomCrm, &stage.known().await?, cast);
        let values = values.into_iter().filter(|(name, _)| is_written(pair, name)).collect();
        let record = stage.make(pair, exact, &values).await?;
        let made = match stage.until_linked(pair, exact, &record).await {
            Ok(link) => Ok((values, stage.view(pair, System::CustomCrm, &link).await?)),
            Err(error) => Err(error.to_string()),
        };
        self.made.insert((pair.name.clone(), System::CustomCrm), made);
        Ok(())
    }
}

impl<S: Store> Stage<S> {
    /// What Exact's record holds of the properties that the pair fixes.
    async fn constants(&self, pair: &Pair, record: &RecordId) -> Result<View, ChecklistError> {
        let mut held = View::new();
        for constant in &pair.constants {
            let content = self.sides.property(pair, record, &constant.name).await?;
            if let (Ok(name), Some(text)) = (PropertyName::parse(&constant.name), content) {
                held.insert(name, Value::Text(text));
            }
        }
        Ok(held)
    }
}

/// Whether a row can be written to Exact by a person.
fn is_written(pair: &Pair, name: &PropertyName) -> bool {
    pair.property(name).is_none_or(|row| row.flow.reaches(System::ExactOnline))
}

/// A value for every row that flows to this system, and a line.
fn filled(pair: &Pair, to: System, known: &Known, cast: &Cast) -> View {
    let value = |row: &Property| -> Option<Value> {
        let reference = |links: &[LinkId], at: usize| {
            links.get(at).map(|link| Value::Reference(Reference::Linked(link.clone())))
        };
        let short = row.name.as_str().rsplit('.').next().unwrap_or_default();
        match short {
            "ParentId" | "MainContactId" => None,
            "CustomerId" => reference(&cast.customers, 0),
            "InvoiceCustomerId" | "DeliveryCustomerId" => reference(&cast.customers, 1),
            "ContactId" => reference(&cast.contacts, 0),
            "ProductId" => reference(&cast.products, 0),
            "IsSellable" | "IsActive" => Some(Value::Boolean(true)),
            // An optional line does not count in the total.
            "IsOptional" => Some(Value::Boolean(false)),
            "Barcode" | "VatNumber" | "OrganizationNumber" => Some(Value::Text(format!(
                "{}{:08}",
                if short == "VatNumber" { "NL" } else { "8" },
                cast.turn
            ))),
            _ => other(row, &Value::Empty, known, cast.turn),
        }
    };
    let flows = |row: &&Property| row.flow.reaches(to) && row.names[to].is_some();
    let mut view: View = pair
        .properties
        .iter()
        .filter(flows)
        .filter_map(|row| Some((row.name.clone(), value(row)?)))
        .collect();
    if pair.entities.customcrm.as_str() == CUSTOMERS {
        view.extend(
            PropertyName::parse("Status").ok().map(|name| (name, Value::Text("Customer".to_owned()))),
        );
    }
    if let (Some(lines), Ok(key)) = (&pair.lines, LineKey::parse("new")) {
        view.insert(PropertyName::of_line(&lines.name, &key), Value::Boolean(true));
        for row in lines.properties.iter().filter(flows) {
            view.extend(value(row).map(|value| (PropertyName::in_line(&key, &row.name), value)));
        }
    }
    view
}

/// The status with which an order comes into its pair.
fn status(pair: &Pair) -> Option<(PropertyName, Value)> {
    let status = match (pair.entities.customcrm.as_str(), pair.entities.exactonline.as_str()) {
        (ORDERS, "salesorders") => "Confirmed",
        (ORDERS, _) => "Draft",
        _ => return None,
    };
    Some((PropertyName::parse("Status").ok()?, Value::Text(status.to_owned())))
}
