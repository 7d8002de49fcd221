//! The collections of the default schema.

mod contacts;
mod customers;
mod lines;
mod orders;
mod products;
mod quotes;
mod users;

pub use contacts::CONTACTS;
pub use customers::CUSTOMERS;
pub use orders::ORDERS;
pub use products::PRODUCTS;
pub use quotes::QUOTES;
pub use users::USERS;

use super::Schema;

/// The collections that every simulator serves.
pub static DEFAULT: [&Schema; 6] = [&CUSTOMERS, &CONTACTS, &PRODUCTS, &ORDERS, &QUOTES, &USERS];
