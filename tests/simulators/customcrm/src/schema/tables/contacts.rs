//! Contacts.

use crate::schema::{Kind, Property, Schema};

/// Contacts, the people at a customer. The caller writes `FullName`: the CRM does not put it together.
pub static CONTACTS: Schema = Schema {
    collection: "contacts",
    entity: "contact",
    properties: &[
        Property::new("CustomerId", Kind::Reference("customers")).required().searchable(),
        Property::new("Salutation", Kind::Text),
        Property::new("FirstName", Kind::Text),
        Property::new("MiddleName", Kind::Text),
        Property::new("LastName", Kind::Text).required_unless("FirstName"),
        Property::new("FullName", Kind::Text),
        Property::new("Initials", Kind::Text),
        Property::new("JobTitle", Kind::Text),
        Property::new("Department", Kind::Text),
        Property::new("Email", Kind::Text).searchable(),
        Property::new("WorkEmail", Kind::Text),
        Property::new("Phone", Kind::Text),
        Property::new("WorkPhone", Kind::Text),
        Property::new("Mobile", Kind::Text),
        Property::new("WorkMobile", Kind::Text),
        Property::new("Fax", Kind::Text),
        Property::new("BirthDate", Kind::Date),
        Property::new("Gender", Kind::Enumeration(&["Male", "Female", "Other"])),
        Property::new("Language", Kind::Text).searchable(),
        Property::new("StreetAddress1", Kind::Text),
        Property::new("ZipCode", Kind::Text),
        Property::new("City", Kind::Text),
        Property::new("State", Kind::Text),
        Property::new("Country", Kind::Text),
        Property::new("IsPrimary", Kind::Bool).initially(false),
        Property::new("DoNotMail", Kind::Bool).initially(false),
        Property::new("DoNotCall", Kind::Bool).initially(false),
        Property::new("OwnerId", Kind::Reference("users")).searchable(),
        Property::new("Notes", Kind::LongText),
        Property::new("IsActive", Kind::Bool).initially(true),
    ],
    lines: None,
};
