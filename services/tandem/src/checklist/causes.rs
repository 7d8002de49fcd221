//! How a person makes Exact change what Exact alone sets.

use mapping::Pair;
use model::{Content, Properties, RecordId};
use rust_decimal::Decimal;
use store::Store;

use super::ChecklistError;
use super::sides::{Sides, entity};

/// What a person does so that a read-only property of Exact changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Changes another property of the record.
    Property(&'static str, &'static str),
    /// Changes properties of the contact's account, an empty text for nothing, and then the contact, whose row alone the
    /// feed tells of.
    Account(&'static [(&'static str, &'static str)]),
    /// Makes the contact the main contact of its account.
    MainContact,
    /// Changes the quantity of the first line.
    Quantity,
    /// Changes the sales price in its own record.
    Price,
    /// Rejects the printed quotation, and opens it again once that has been seen.
    Reject,
    /// Reviews the printed quotation.
    Review,
}

/// The causes by entity and property. A property without one is compared as it stands: it is set when the record is
/// made, or by what no call of the API does.
const CAUSES: [(&str, &str, Cause); 17] = [
    ("contacts", "FullName", Cause::Property("LastName", "Checked")),
    ("contacts", "AddressStreet", Cause::Account(&[("AddressLine1", "Checkstraat 1")])),
    ("contacts", "Postcode", Cause::Account(&[("Postcode", "1011 AB")])),
    ("contacts", "City", Cause::Account(&[("City", "Checkdam")])),
    ("contacts", "State", Cause::Account(&[("State", "ZH")])),
    ("contacts", "Country", Cause::Account(&[("State", ""), ("Country", "BE")])),
    ("contacts", "IsMainContact", Cause::MainContact),
    ("items", "StandardSalesPrice", Cause::Price),
    ("salesorders", "AmountFC", Cause::Quantity),
    ("salesorders", "AmountFCExclVat", Cause::Quantity),
    ("salesorders", "SalesOrderLines.AmountFC", Cause::Quantity),
    ("quotations", "AmountFC", Cause::Quantity),
    ("quotations", "VATAmountFC", Cause::Quantity),
    ("quotations", "QuotationLines.AmountFC", Cause::Quantity),
    ("quotations", "Status", Cause::Reject),
    ("quotations", "CloseDate", Cause::Reject),
    ("quotations", "VersionNumber", Cause::Review),
];

/// What makes this property of an entity change; `None` where no call of the API does.
pub(crate) fn cause(entity: &str, property: &str) -> Option<Cause> {
    CAUSES.iter().find(|(of, name, _)| *of == entity && *name == property).map(|(_, _, cause)| *cause)
}

impl Cause {
    /// Does it.
    pub(crate) async fn carry_out<S: Store>(
        self,
        sides: &Sides<S>,
        pair: &Pair,
        record: &RecordId,
    ) -> Result<(), ChecklistError> {
        match self {
            Self::Property(name, text) => sides.set(pair, record, name, Content::from(text)).await,
            Self::Account(properties) => {
                let content = |text: &str| if text.is_empty() { Content::Null } else { Content::from(text) };
                let properties: Properties =
                    properties.iter().map(|(name, text)| ((*name).to_owned(), content(text))).collect();
                sides.set_account(pair, record, &properties).await?;
                sides.set(pair, record, "Notes", Content::from("looked at again")).await
            }
            Self::MainContact => {
                let main = ("MainContact".to_owned(), Content::from(record.as_str()));
                sides.set_account(pair, record, &Properties::from([main])).await?;
                sides.set(pair, record, "Notes", Content::from("looked at again")).await
            }
            Self::Quantity => sides.raise_quantity(pair, record).await,
            Self::Price => {
                let price = Content::Number(Decimal::new(1_995, 2));
                sides.set_price(&entity(pair)?, record, &price).await
            }
            Self::Reject => {
                sides.print(record).await?;
                sides.act("crm/RejectQuotation", record).await
            }
            Self::Review => {
                sides.print(record).await?;
                sides.act("crm/ReviewQuotation", record).await
            }
        }
    }

    /// Undoes what would stand in the way of other checks.
    pub(crate) async fn undo<S: Store>(
        self,
        sides: &Sides<S>,
        record: &RecordId,
    ) -> Result<(), ChecklistError> {
        match self {
            Self::Reject => sides.act("crm/ReopenQuotation", record).await,
            _ => Ok(()),
        }
    }
}
