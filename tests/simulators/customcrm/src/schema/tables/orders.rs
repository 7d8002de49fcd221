//! Orders.

use super::lines::LINES;
use crate::schema::{Kind, Property, Schema};

/// Orders. Several may have the same number: the CRM leaves numbers to whoever writes them.
pub static ORDERS: Schema = Schema {
    collection: "orders",
    entity: "order",
    properties: &[
        Property::new("OrderNumber", Kind::Text).searchable(),
        Property::new("CustomerId", Kind::Reference("customers")).required().searchable(),
        Property::new("ContactId", Kind::Reference("contacts")).searchable(),
        Property::new("OwnerId", Kind::Reference("users")).searchable(),
        Property::new("InvoiceCustomerId", Kind::Reference("customers")).searchable(),
        Property::new("DeliveryCustomerId", Kind::Reference("customers")).searchable(),
        Property::new("QuotationNumber", Kind::Text).searchable(),
        Property::new("QuoteId", Kind::Reference("quotes")).searchable(),
        Property::new("Name", Kind::Text),
        Property::new("OrderDate", Kind::Date),
        Property::new("DeliveryDate", Kind::Date),
        Property::new("ValidUntil", Kind::Date),
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

const STATUS: &[&str] = &["Draft", "Open", "Confirmed", "PartlyDelivered", "Complete", "Cancelled"];
