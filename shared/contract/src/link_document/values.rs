//! Values, views and agreements, as a stored link holds them.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use model::{LinkId, PairName, PropertyName, RecordId, Reference, SystemPair, Value, View};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::DocumentError;
use crate::message;

pub(super) type ViewV1 = BTreeMap<String, ValueV1>;

/// Short on purpose: a link holds each value up to three times.
#[derive(Serialize, Deserialize)]
pub(super) enum ValueV1 {
    #[serde(rename = "-")]
    Empty,
    #[serde(rename = "t")]
    Text(String),
    #[serde(rename = "n")]
    Decimal(#[serde(with = "rust_decimal::serde::str")] Decimal),
    #[serde(rename = "b")]
    Boolean(bool),
    #[serde(rename = "d")]
    Date(Date),
    #[serde(rename = "m")]
    Moment(Timestamp),
    #[serde(rename = "l")]
    Linked(String),
    #[serde(rename = "u")]
    Unlinked { pair: String, system: String, record: String },
    #[serde(rename = "p")]
    Person(String),
    #[serde(rename = "q")]
    UnknownPerson { system: String, user: String },
    #[serde(rename = "s")]
    StandIn(String),
}

#[derive(Serialize, Deserialize)]
pub(super) enum AgreedV1 {
    #[serde(rename = "=")]
    Same(ValueV1),
    #[serde(rename = "~")]
    Each(ValueV1, ValueV1),
}

impl From<&Value> for ValueV1 {
    fn from(value: &Value) -> Self {
        match value {
            Value::Empty => Self::Empty,
            Value::Text(text) => Self::Text(text.clone()),
            Value::StandIn(text) => Self::StandIn(text.clone()),
            Value::Decimal(number) => Self::Decimal(*number),
            Value::Boolean(yes) => Self::Boolean(*yes),
            Value::Date(date) => Self::Date(*date),
            Value::Timestamp(moment) => Self::Moment(*moment),
            Value::Reference(Reference::Linked(link)) => Self::Linked(link.to_string()),
            Value::Reference(Reference::Unlinked { pair, system, record }) => Self::Unlinked {
                pair: pair.to_string(),
                system: system.to_string(),
                record: record.to_string(),
            },
            Value::Reference(Reference::Person(email)) => Self::Person(email.clone()),
            Value::Reference(Reference::UnknownPerson { system, user }) => {
                Self::UnknownPerson { system: system.to_string(), user: user.clone() }
            }
        }
    }
}

impl ValueV1 {
    pub(super) fn meant(self) -> Result<Value, DocumentError> {
        Ok(match self {
            Self::Empty => Value::Empty,
            Self::Text(text) => Value::Text(text),
            Self::StandIn(text) => Value::StandIn(text),
            Self::Decimal(number) => Value::Decimal(number),
            Self::Boolean(yes) => Value::Boolean(yes),
            Self::Date(date) => Value::Date(date),
            Self::Moment(moment) => Value::Timestamp(moment),
            Self::Linked(link) => Value::Reference(Reference::Linked(LinkId::parse(&link)?)),
            Self::Unlinked { pair, system, record } => Value::Reference(Reference::Unlinked {
                pair: PairName::parse(&pair)?,
                system: message::system(&system)?,
                record: RecordId::parse(&record)?,
            }),
            Self::Person(email) => Value::Reference(Reference::Person(email)),
            Self::UnknownPerson { system, user } => {
                Value::Reference(Reference::UnknownPerson { system: message::system(&system)?, user })
            }
        })
    }
}

pub(super) fn write_view(view: &View) -> ViewV1 {
    view.iter().map(|(property, value)| (property.to_string(), ValueV1::from(value))).collect()
}

pub(super) fn read_view(view: ViewV1) -> Result<View, DocumentError> {
    view.into_iter().map(|(property, value)| Ok((PropertyName::parse(&property)?, value.meant()?))).collect()
}

pub(super) fn write_agreed(values: &SystemPair<Value>) -> AgreedV1 {
    if values.customcrm == values.exactonline {
        AgreedV1::Same(ValueV1::from(&values.customcrm))
    } else {
        AgreedV1::Each(ValueV1::from(&values.customcrm), ValueV1::from(&values.exactonline))
    }
}

pub(super) fn read_agreed(
    agreed: BTreeMap<String, AgreedV1>,
) -> Result<BTreeMap<PropertyName, SystemPair<Value>>, DocumentError> {
    agreed
        .into_iter()
        .map(|(property, values)| Ok((PropertyName::parse(&property)?, read_agreed_values(values)?)))
        .collect()
}

pub(super) fn read_agreed_values(values: AgreedV1) -> Result<SystemPair<Value>, DocumentError> {
    Ok(match values {
        AgreedV1::Same(value) => {
            let value = value.meant()?;
            SystemPair { customcrm: value.clone(), exactonline: value }
        }
        AgreedV1::Each(customcrm, exactonline) => {
            SystemPair { customcrm: customcrm.meant()?, exactonline: exactonline.meant()? }
        }
    })
}
