//! Customers.

use crate::schema::{Kind, Property, Schema};

/// Customers, the companies that the CRM's owner sells to.
pub static CUSTOMERS: Schema = Schema {
    collection: "customers",
    entity: "customer",
    properties: &[
        Property::new("CustomerNumber", Kind::Text).unique(),
        Property::new("Name", Kind::Text).required(),
        Property::new("OrganizationNumber", Kind::Text).searchable(),
        Property::new("VatNumber", Kind::Text).searchable(),
        Property::new("Email", Kind::Text).searchable(),
        Property::new("Phone", Kind::Text),
        Property::new("Fax", Kind::Text),
        Property::new("Website", Kind::Text),
        Property::new("StreetAddress1", Kind::Text),
        Property::new("StreetAddress2", Kind::Text),
        Property::new("StreetAddress3", Kind::Text),
        Property::new("ZipCode", Kind::Text),
        Property::new("City", Kind::Text),
        Property::new("State", Kind::Text),
        Property::new("Country", Kind::Text),
        Property::new("Currency", Kind::Text).searchable(),
        Property::new("Language", Kind::Text).searchable(),
        Property::new("Status", Kind::Enumeration(&["None", "Suspect", "Prospect", "Customer"])),
        Property::new("Industry", Kind::Text),
        Property::new("EmployeeCount", Kind::Integer),
        Property::new("AnnualRevenue", Kind::Decimal),
        Property::new("PaymentTerms", Kind::Text).searchable(),
        Property::new("DiscountPercent", Kind::Decimal),
        Property::new("CreditLimit", Kind::Decimal),
        Property::new("OwnerId", Kind::Reference("users")).searchable(),
        Property::new("ParentId", Kind::Reference("customers")).searchable(),
        Property::new("MainContactId", Kind::Reference("contacts")).searchable(),
        Property::new("Description", Kind::LongText),
        Property::new("IsActive", Kind::Bool).initially(true),
    ],
    lines: None,
};
