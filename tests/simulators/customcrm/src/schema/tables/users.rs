//! Users.

use crate::schema::{Kind, Property, Schema};

/// Users, the people (and programs) that work in the CRM.
pub static USERS: Schema = Schema {
    collection: "users",
    entity: "user",
    properties: &[
        Property::new("UserName", Kind::Text),
        Property::new("FirstName", Kind::Text),
        Property::new("LastName", Kind::Text),
        Property::new("FullName", Kind::Text),
        Property::new("Email", Kind::Text).required().searchable(),
        Property::new("Phone", Kind::Text),
        Property::new("Mobile", Kind::Text),
        Property::new("Title", Kind::Text),
        Property::new("Department", Kind::Text),
        Property::new("EmployeeNumber", Kind::Text).searchable(),
        Property::new("Language", Kind::Text).searchable(),
        Property::new("TimeZone", Kind::Text).searchable(),
        Property::new("IsActive", Kind::Bool).initially(true),
        Property::new("LastLoginAt", Kind::Timestamp).read_only(),
    ],
    lines: None,
};
