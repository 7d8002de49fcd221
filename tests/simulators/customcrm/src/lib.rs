//! A strict simulator of the CustomCRM default API, with all of its state in memory.
//!
//! It answers what the default API promises and refuses everything else: a wrong type, an unknown property, a
//! stale version, a taken number. Amounts are exact decimals from the text of the request to the text of the
//! answer. A second port, the control API, gives tests what no CRM gives: faults on demand, the log of all calls,
//! other limits, a clock that stands still, values that are trimmed or re-cased when they are stored, and webhooks.
//!
//! Not served: any collection without a [`schema::Schema`].
//!
//! Beyond what the default API says, the simulator decides:
//! - a 409 carries `duplicateId`, the id of the record that holds the unique value;
//! - an `Idempotency-Key` belongs to one user and keeps the first answer whatever its status was, and "another body"
//!   means other bytes;
//! - a property that was never set is `null` in answers; `null` puts a property that has an initial value back to it;
//! - codes, numbers, `Email`, `CustomerReference` and references are searchable, nothing else; of several filters all
//!   must match;
//! - a reference is checked when it is written, and at no other time: a record that others refer to can be deleted, and
//!   what refers to it stays as it is;
//! - a document has at least one line. Lines keep the order in which they were added, and those that a patch does not
//!   name stay. A patch names a line once; of one that it removes nothing else is kept. `LineId` can't be
//!   chosen; `LineNumber` is the line's place, from 1, unless the caller gives one. An error names a line by its place in the list that was sent, from 0: `Lines[2].LineId`;
//! - a cursor goes on with the listing that it came from: the same filters and the same `include_deleted`;
//! - webhooks tell of every change, also of those that the control API and its seeds make; a patch that changes nothing
//!   is none. `webhook-timestamp` is the time of the attempt by the clock of the machine, `timestamp` that of the change
//!   by the clock of the CRM;
//! - the description of the API in OpenAPI 3.1, `GET /openapi.json`, needs no token, takes nothing from the limits and
//!   meets no fault;
//! - an unknown query parameter is a 400, a known path with another method a 405, a body that is not JSON a 415 when
//!   its content type says so, else a 400; the token of an inactive user is a 403.
//!
//! Start reading at [`Simulator::start`]; what tests may do is on [`Control`].

mod api;
mod change;
mod clock;
mod collection;
mod control;
mod cursor;
mod document;
mod error;
mod faults;
mod idempotency;
mod in_process;
mod limits;
mod log;
pub mod openapi;
mod problem;
mod record;
mod records;
pub mod schema;
mod settings;
mod simulator;
mod state;
mod value;
mod webhooks;
mod wire;

pub use control::{Control, Counts, Grant, NewUser, Rewrite, RewriteAs};
pub use error::SimulatorError;
pub use faults::{Effect, Fault};
pub use in_process::InProcess;
pub use limits::Limits;
pub use log::LoggedCall;
pub use settings::Settings;
pub use simulator::{Running, Simulator, Users};
pub use webhooks::{Delivery, Webhook, WebhookEffect, WebhookFault};
