//! Quotes.

use super::lines::LINES;
use crate::schema::{Kind, Property, Schema};

/// Quotes. Several may have the same number, as the versions of one quotation do.
pub static QUOTES: Schema = Schema {
    collection: "quotes",
    entity: "quote",
    properties: &[
        Property::new("QuoteNumber", Kind::Text).searchable(),
        Property::new("VersionNumber", Kind::Integer).searchable(),
        Property::new("Name", Kind::Text),
        Property::new("CustomerId", Kind::Reference("customers")).required().searchable(),
        Property::new("ContactId", Kind::Reference("contacts")).searchable(),
        Property::new("OwnerId", Kind::Reference("users")).searchable(),
        Property::new("OrderId", Kind::Reference("orders")).searchable(),
        Property::new("InvoiceCustomerId", Kind::Reference("customers")).searchable(),
        Property::new("DeliveryCustomerId", Kind::Reference("customers")).searchable(),
        Property::new("QuoteDate", Kind::Date),
        Property::new("ExpiryDate", Kind::Date),
        Property::new("ExpectedCloseDate", Kind::Date),
        Property::new("DeliveryDate", Kind::Date),
        Property::new("ClosedDate", Kind::Date),
        Property::new("Status", Kind::Enumeration(STATUS)),
        Property::new("Currency", Kind::Text).searchable(),
        Property::new("PaymentTerms", Kind::Text).searchable(),
        Property::new("CustomerReference", Kind::Text).searchable(),
        Property::new("DiscountPercent", Kind::Decimal),
        Property::new("SubTotal", Kind::Decimal),
        Property::new("TaxAmount", Kind::Decimal),
        Property::new("TotalAmount", Kind::Decimal),
        Property::new("Notes", Kind::LongText),
    ],
    lines: Some(LINES),
};

const STATUS: &[&str] = &["Draft", "Open", "Sent", "Accepted", "Rejected", "Expired", "Replaced"];
