//! How a person makes Exact change what Exact alone sets.

use mapping::Pair;
use model::{Content, Properties, RecordId, System};
use rust_decimal::Decimal;
use store::Store;

use super::ChecklistError;
use super::sides::Sides;

/// What a person does so that a read-only property of Exact changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Changes another property of the record.
    Property(&'static str, &'static str),
    /// Changes a property of the contact's account, and then the contact, whose row alone the feed tells of.
    Account(&'static str, &'static str),
    /// Makes the contact the main contact of its account.
    MainContact,
    /// Changes the quantity of the first line.
    Quantity,
    /// Changes the sales price in its own record.
    Price,
    /// Carries out an action with the quotation.
    Action(&'static str),
}

/// The causes by entity and property. A property without one is compared as it stands: it is set when the record is
/// made, or by what no call of the API does.
const CAUSES: [(&str, &str, Cause); 17] = [
    ("contacts", "FullName", Cause::Property("LastName", "Checked")),
    ("contacts", "AddressStreet", Cause::Account("AddressLine1", "Checkstraat 1")),
    ("contacts", "Postcode", Cause::Account("Postcode", "1011 AB")),
    ("contacts", "City", Cause::Account("City", "Checkdam")),
    ("contacts", "State", Cause::Account("State", "ZH")),
    ("contacts", "Country", Cause::Account("Country", "NL")),
    ("contacts", "IsMainContact", Cause::MainContact),
    ("items", "StandardSalesPrice", Cause::Price),
    ("salesorders", "AmountFC", Cause::Quantity),
    ("salesorders", "AmountFCExclVat", Cause::Quantity),
    ("salesorders", "SalesOrderLines.AmountFC", Cause::Quantity),
    ("quotations", "AmountFC", Cause::Quantity),
    ("quotations", "VATAmountFC", Cause::Quantity),
    ("quotations", "QuotationLines.AmountFC", Cause::Quantity),
    ("quotations", "Status", Cause::Action("crm/PrintQuotation")),
    ("quotations", "CloseDate", Cause::Action("crm/RejectQuotation")),
    ("quotations", "VersionNumber", Cause::Action("crm/ReviewQuotation")),
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
        let exact = System::ExactOnline;
        match self {
            Self::Property(name, text) => sides.set(pair, record, name, Content::from(text)).await,
            Self::Account(name, text) => {
                sides.set_account(pair, record, name, Content::from(text)).await?;
                sides.set(pair, record, "Notes", Content::from("looked at again")).await
            }
            Self::MainContact => {
                sides.set_account(pair, record, "MainContact", Content::from(record.as_str())).await?;
                sides.set(pair, record, "Notes", Content::from("looked at again")).await
            }
            Self::Quantity => sides.raise_quantity(pair, record).await,
            Self::Price => sides.set_price(record, Decimal::new(1_995, 2)).await,
            Self::Action(path) => {
                let id = Content::from(record.as_str());
                let before = sides.read(pair, exact, record).await?;
                let is_printed =
                    before.get("Status").is_some_and(|status| *status == Content::Number(Decimal::from(40)));
                let needs_print = path != "crm/PrintQuotation" && !is_printed;
                let body = Properties::from([("QuotationID".to_owned(), id)]);
                if needs_print {
                    sides.act("crm/PrintQuotation", &body).await?;
                }
                sides.act(path, &body).await
            }
        }
    }
}
