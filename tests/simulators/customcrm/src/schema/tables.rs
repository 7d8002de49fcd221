//! The collections of the default schema.

mod contacts;
mod customers;
mod products;
mod users;

pub use contacts::CONTACTS;
pub use customers::CUSTOMERS;
pub use products::PRODUCTS;
pub use users::USERS;

use super::Schema;

/// The collections that every simulator serves.
pub static DEFAULT: [&Schema; 4] = [&CUSTOMERS, &CONTACTS, &PRODUCTS, &USERS];
