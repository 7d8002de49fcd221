//! What a link holds of a property: on either side, and as agreed. Mostly that is one value, and then it stands there
//! once.

use std::collections::{BTreeMap, BTreeSet};

use link::Link;
use model::{PropertyName, System, SystemPair, Value};
use serde::{Deserialize, Serialize};

use super::DocumentError;
use super::values::{AgreedV1, ValueV1, read_agreed_values, write_agreed};

#[derive(Serialize, Deserialize)]
pub(super) enum RowV2 {
    /// Both sides hold it, and have agreed on it.
    #[serde(rename = "=")]
    Same(ValueV1),
    /// Each side holds its own rendition (CustomCRM's first), and that is what they have agreed on.
    #[serde(rename = "~")]
    AsAgreed(ValueV1, ValueV1),
    /// Anything else: what there is of CustomCRM, of Exact Online, and of an agreement.
    #[serde(rename = "?")]
    Open {
        #[serde(default, rename = "c", skip_serializing_if = "Option::is_none")]
        customcrm: Option<ValueV1>,
        #[serde(default, rename = "e", skip_serializing_if = "Option::is_none")]
        exactonline: Option<ValueV1>,
        #[serde(default, rename = "a", skip_serializing_if = "Option::is_none")]
        agreed: Option<AgreedV1>,
    },
}

pub(super) fn write_rows(link: &Link) -> BTreeMap<String, RowV2> {
    let views = System::BOTH.into_iter().filter_map(|system| link.sides[system].as_ref());
    let names: BTreeSet<&PropertyName> =
        views.flat_map(|side| side.view.keys()).chain(link.agreed.keys()).collect();
    names.into_iter().map(|name| (name.to_string(), row(link, name))).collect()
}

fn row(link: &Link, name: &PropertyName) -> RowV2 {
    let [crm, exact] = System::BOTH.map(|system| link.sides[system].as_ref()?.view.get(name));
    match (crm, exact, link.agreed.get(name)) {
        (Some(crm), Some(exact), Some(agreed))
            if *crm == agreed.customcrm && *exact == agreed.exactonline =>
        {
            if crm == exact {
                RowV2::Same(ValueV1::from(crm))
            } else {
                RowV2::AsAgreed(ValueV1::from(crm), ValueV1::from(exact))
            }
        }
        (customcrm, exactonline, agreed) => RowV2::Open {
            customcrm: customcrm.map(ValueV1::from),
            exactonline: exactonline.map(ValueV1::from),
            agreed: agreed.map(write_agreed),
        },
    }
}

pub(super) fn read_rows(rows: BTreeMap<String, RowV2>, link: &mut Link) -> Result<(), DocumentError> {
    for (name, row) in rows {
        let name = PropertyName::parse(&name)?;
        let (held, agreed) = match row {
            RowV2::Same(value) => {
                let value = value.meant()?;
                agreed_as_held(SystemPair { customcrm: value.clone(), exactonline: value })
            }
            RowV2::AsAgreed(customcrm, exactonline) => agreed_as_held(SystemPair {
                customcrm: customcrm.meant()?,
                exactonline: exactonline.meant()?,
            }),
            RowV2::Open { customcrm, exactonline, agreed } => {
                let held = SystemPair {
                    customcrm: customcrm.map(ValueV1::meant).transpose()?,
                    exactonline: exactonline.map(ValueV1::meant).transpose()?,
                };
                (held, agreed.map(read_agreed_values).transpose()?)
            }
        };
        hold(link, &name, held);
        if let Some(agreed) = agreed {
            link.agreed.insert(name, agreed);
        }
    }
    Ok(())
}

fn agreed_as_held(values: SystemPair<Value>) -> (SystemPair<Option<Value>>, Option<SystemPair<Value>>) {
    let held = SystemPair {
        customcrm: Some(values.customcrm.clone()),
        exactonline: Some(values.exactonline.clone()),
    };
    (held, Some(values))
}

fn hold(link: &mut Link, name: &PropertyName, mut held: SystemPair<Option<Value>>) {
    for system in System::BOTH {
        if let (Some(side), Some(value)) = (&mut link.sides[system], held[system].take()) {
            side.view.insert(name.clone(), value);
        }
    }
}
