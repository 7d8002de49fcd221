//! The strictness of the simulator, one promise per test, over HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod company;
mod contacts;
mod control;
mod items;
mod limits;
mod lists;
mod program;
mod quotation_actions;
mod quotations;
mod reading;
mod sales_order_lines;
mod sales_orders;
mod shop;
mod sync;
mod tokens;
mod webhooks;
mod writing;
