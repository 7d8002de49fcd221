//! Both systems as people see and edit them: their own screens, which no fault and no limit of the interface hits.

use std::collections::BTreeMap;

use contract::json::{read_properties, write_properties};
use mapping::{LinePut, Pair, Put};
use model::{Content, Properties, RecordId, System};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::things::{Kind, Place};

/// The status of a quotation that gave way to its next version (a fact of the API).
const REVIEWED: i64 = 6;

/// Why a system did not take what a person entered.
pub type Refused = String;

/// The two systems of one connection, and the person who edits in each.
#[derive(Debug, Clone)]
pub struct Sides {
    /// The CRM.
    pub crm: simulator_customcrm::Control,
    /// The token of the person there.
    pub crm_token: String,
    /// The division.
    pub exact: simulator_exactonline::Control,
    /// The person there.
    pub exact_person: Uuid,
}

impl Sides {
    /// All records of a place, their lines among their properties.
    pub fn all(&self, system: System, place: Place) -> BTreeMap<RecordId, Properties> {
        let texts = match system {
            System::CustomCrm => return crm_records(self.crm.records(place.path).unwrap()),
            System::ExactOnline => self.exact.records(place.path).unwrap(),
        };
        let lines = place.lines.map(|lines| list(&self.exact.records(lines.path).unwrap()));
        with_lines(place, list(&texts), lines.unwrap_or_default())
    }

    /// The records of a place that hold this text in a property, their lines among their properties.
    pub fn with(
        &self,
        system: System,
        place: Place,
        property: &str,
        text: &str,
    ) -> BTreeMap<RecordId, Properties> {
        match system {
            System::CustomCrm => crm_records(self.crm.records_with(place.path, property, text).unwrap()),
            System::ExactOnline => {
                let control = &self.exact;
                let records = list(&control.records_with(place.path, property, text).unwrap());
                let lines = place.lines.map(|lines| {
                    let of_record = |record: &Properties| {
                        let id = record.get(place.id).and_then(Content::as_text).unwrap();
                        list(&control.records_with(lines.path, lines.parent, id).unwrap())
                    };
                    records.iter().flat_map(of_record).collect()
                });
                with_lines(place, records, lines.unwrap_or_default())
            }
        }
    }

    /// The records of a kind that bear this mark. An earlier version of a quotation is not one.
    pub fn marked(&self, system: System, kind: Kind, mark: &str) -> BTreeMap<RecordId, Properties> {
        let place = kind.place(system);
        let mut found = self.with(system, place, place.mark, mark);
        if place.path == super::things::QUOTATIONS.path {
            found.retain(|_, quotation| quotation.get("Status") != Some(&Content::Number(REVIEWED.into())));
        }
        found
    }

    /// A person makes a record.
    pub fn makes(&self, system: System, pair: &Pair, place: Place, put: &Put) -> Result<RecordId, Refused> {
        let mut properties = put.properties.clone();
        if let Some(lines) = &pair.lines {
            let list = put.added().cloned().map(Content::Object).collect();
            properties.insert(lines.names[system].clone(), Content::List(list));
        }
        let body = write_properties(&properties);
        match system {
            System::CustomCrm => {
                let (control, token) = (&self.crm, &self.crm_token);
                let made = control.create(token, place.path, &body).map_err(|refused| refused.to_string())?;
                let made = read_properties(&made).unwrap();
                Ok(RecordId::parse(made.get("Id").and_then(Content::as_text).unwrap()).unwrap())
            }
            System::ExactOnline => {
                let made = self.exact.create(place.path, &body, self.exact_person);
                let made = made.map_err(|refused| refused.to_string())?;
                Ok(RecordId::parse(&made.to_string()).unwrap())
            }
        }
    }

    /// A person changes a record and its lines.
    pub fn changes(
        &self,
        system: System,
        pair: &Pair,
        place: Place,
        record: &RecordId,
        put: &Put,
    ) -> Result<(), Refused> {
        match system {
            System::CustomCrm => {
                let mut patch = put.properties.clone();
                if let Some(lines) = pair.lines.as_ref().filter(|_| !put.lines.is_empty()) {
                    let id_name = &lines.ids.customcrm;
                    let list = put.lines.iter().map(|line| Content::Object(line_patch(id_name, line)));
                    patch.insert(lines.names.customcrm.clone(), Content::List(list.collect()));
                }
                let (control, token) = (&self.crm, &self.crm_token);
                let body = write_properties(&patch);
                let patched = control.patch(token, place.path, record.as_str(), &body);
                patched.map(|_| ()).map_err(|refused| refused.to_string())
            }
            System::ExactOnline => self.changes_in_exact(place, record, put),
        }
    }

    fn changes_in_exact(&self, place: Place, record: &RecordId, put: &Put) -> Result<(), Refused> {
        let (control, person) = (&self.exact, self.exact_person);
        let said = |refused: simulator_exactonline::SimulatorError| refused.to_string();
        if !put.properties.is_empty() {
            let body = write_properties(&put.properties);
            control.change(place.path, guid(record), &body, person).map_err(said)?;
        }
        for line in &put.lines {
            let lines = place.lines.expect("only documents have lines");
            match line {
                LinePut::Add(properties) => {
                    let mut line = properties.clone();
                    line.insert(lines.parent.to_owned(), Content::from(record.as_str()));
                    control.create(lines.path, &write_properties(&line), person).map_err(said)?;
                }
                LinePut::Change { id, properties } => {
                    let body = write_properties(properties);
                    control.change(lines.path, guid(id), &body, person).map_err(said)?;
                }
                LinePut::Remove { id } => control.delete(lines.path, guid(id), person).map_err(said)?,
            }
        }
        Ok(())
    }

    /// A person deletes a record.
    pub fn deletes(&self, system: System, place: Place, record: &RecordId) -> Result<(), Refused> {
        match system {
            System::CustomCrm => {
                let (control, token) = (&self.crm, &self.crm_token);
                let deleted = control.delete(token, place.path, record.as_str());
                deleted.map_err(|refused| refused.to_string())
            }
            System::ExactOnline => {
                let deleted = self.exact.delete(place.path, guid(record), self.exact_person);
                deleted.map_err(|refused| refused.to_string())
            }
        }
    }

    /// A person does something with a quotation.
    pub fn acts(&self, action: &str, quotation: &RecordId, further: &str) -> Result<(), Refused> {
        let form = format!("{{\"QuotationID\":\"{quotation}\"{further}}}");
        let answer = self.exact.act(&format!("crm/{action}"), &form, self.exact_person);
        let answer = read_properties(&answer.map_err(|refused| refused.to_string())?).unwrap();
        for told in ["ErrorMessage", "DocumentCreationError"] {
            if let Some(words) = answer.get(told).and_then(Content::as_text) {
                return Err(format!("{action}: {words}"));
            }
        }
        Ok(())
    }
}

fn crm_records(records: Vec<String>) -> BTreeMap<RecordId, Properties> {
    records
        .iter()
        .map(|record| {
            let properties = read_properties(record).unwrap();
            let id = properties.get("Id").and_then(Content::as_text).unwrap();
            (RecordId::parse(id).unwrap(), properties)
        })
        .collect()
}

fn guid(record: &RecordId) -> Uuid {
    record.as_str().parse().unwrap()
}

fn line_patch(id_name: &str, line: &LinePut) -> Properties {
    match line {
        LinePut::Add(properties) => properties.clone(),
        LinePut::Change { id, properties } => {
            let mut line = properties.clone();
            line.insert(id_name.to_owned(), Content::from(id.as_str()));
            line
        }
        LinePut::Remove { id } => Properties::from([
            (id_name.to_owned(), Content::from(id.as_str())),
            ("Deleted".to_owned(), Content::Boolean(true)),
        ]),
    }
}

fn list(json: &str) -> Vec<Properties> {
    let records: Vec<&RawValue> = serde_json::from_str(json).unwrap();
    records.into_iter().map(|record| read_properties(record.get()).unwrap()).collect()
}

/// Documents with their lines, each list under the name that the pairs know it by.
fn with_lines(
    place: Place,
    records: Vec<Properties>,
    lines: Vec<Properties>,
) -> BTreeMap<RecordId, Properties> {
    let mut of_document: BTreeMap<String, Vec<Content>> = BTreeMap::new();
    for line in lines {
        let parent = place.lines.and_then(|lines| line.get(lines.parent)).and_then(Content::as_text);
        of_document.entry(parent.unwrap().to_owned()).or_default().push(Content::Object(line));
    }
    let named = place.lines.map(|lines| lines.path.rsplit('/').next().unwrap());
    records
        .into_iter()
        .map(|mut properties| {
            let id = properties.get(place.id).and_then(Content::as_text).unwrap().to_owned();
            if let Some(name) = named {
                let lines = of_document.remove(&id).unwrap_or_default();
                properties.insert(name.to_owned(), Content::List(lines));
            }
            (RecordId::parse(&id).unwrap(), properties)
        })
        .collect()
}
