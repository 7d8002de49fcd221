//! What the entities look like: tables of properties, read from data, and the endpoints over them.
//!
//! Each line of a file in `tables/` is one property of the API: its name, its Edm type, who may write it
//! and the rules that the service holds it to. A further entity is a further file, a line in `tables/entities.tsv`,
//! one in [`TABLES`] and its endpoints. `table` reads the files; `endpoints` lists the addresses.

use std::collections::HashMap;
use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::edm::Edm;

mod endpoints;
mod table;

pub(crate) use endpoints::{Action, Endpoint, Family, ME, endpoint, regular_endpoint};

/// Who may write a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// On create and on change.
    Always,
    /// On create only.
    CreateOnly,
    /// Never: the service itself fills it.
    Never,
}

/// What the service fills in by itself when a record is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerValue {
    Created,
    Creator,
    Modified,
    Modifier,
    Division,
    Timestamp,
}

/// A property whose value follows from others when it is read. It is stored nowhere, so a change of what it follows
/// from gives its own record no new row version.
#[derive(Debug, Clone)]
pub(crate) enum Derived {
    /// `field` of the record, or of the code list entry, that the property `source` names.
    Mirror { source: usize, field: String },
    /// True when the property `source` holds `text`.
    Equals { source: usize, text: String },
    /// True when the record that the property `source` names, names this one in its `field`.
    NamedBy { source: usize, field: String },
    /// The filled ones of these texts with a blank between.
    Joined(Vec<usize>),
    /// What the property at this position holds.
    Same(usize),
    /// The price of an item in its oldest price record without an account.
    BasePrice,
    /// What the lines of a document come to.
    Total(Total),
}

/// What the lines of a document come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// With VAT, after the discount.
    Including,
    /// Without VAT, after the discount.
    Excluding,
    /// The VAT alone, after the discount.
    Vat,
    /// The discount on all, with VAT.
    Discount,
    /// The discount on all, without VAT.
    DiscountExcluding,
}

/// What must be true of a record that is referred to, beside that it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// The account is a customer.
    Customer,
    /// The account is a customer, unless quotations are for others too.
    MayBeQuoted,
    /// The item is sold, and today.
    SalesItem,
}

/// What a new record holds in a property that its create does not name.
#[derive(Debug, Clone)]
pub(crate) enum Initial {
    /// A value, as JSON text.
    Constant(String),
    /// `field` of the record, or of the code list entry, that the property `source` names.
    Taken { source: usize, field: String },
    /// What the property at this position holds.
    Same(usize),
    /// Midnight of the day, on the server's wall clock.
    Today,
}

/// In which families of endpoints a property is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    regular: bool,
    bulk: bool,
    sync: bool,
}

impl Shown {
    const EVERYWHERE: Self = Self { regular: true, bulk: true, sync: true };

    /// Whether endpoints of this family show the property.
    pub(crate) fn shows(self, family: Family) -> bool {
        match family {
            Family::Regular => self.regular,
            Family::Bulk => self.bulk,
            Family::Sync => self.sync,
        }
    }
}

/// One property of an entity, with the rules that hold for it.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) edm: Edm,
    pub(crate) access: Access,
    pub(crate) shown: Shown,
    pub(crate) key: bool,
    pub(crate) mandatory: bool,
    /// Mandatory unless the property at this position is filled.
    pub(crate) unless: Option<usize>,
    pub(crate) nullable: bool,
    pub(crate) satisfies_mandatory_filter: bool,
    pub(crate) unique: bool,
    /// Absent on create: the highest number used plus one.
    pub(crate) assigned: bool,
    /// A read-only property that a write may name; its value is not looked at.
    pub(crate) tolerated: bool,
    /// An unknown code is stored as empty instead of being refused.
    pub(crate) lenient: bool,
    pub(crate) max_length: Option<usize>,
    /// The highest number that it may hold.
    pub(crate) at_most: Option<Decimal>,
    /// Digits are stored with spaces on the left up to this width.
    pub(crate) padded: Option<usize>,
    pub(crate) one_of: Vec<String>,
    /// The table whose records this property refers to.
    pub(crate) reference: Option<String>,
    /// What must be true of that record.
    pub(crate) must: Option<Check>,
    /// A change may name it, but with the value only that it has.
    pub(crate) fixed: bool,
    /// Only larger licences than the simulated one let a change name it.
    pub(crate) licensed: bool,
    /// The record that it refers to owns this one, which goes when its owner goes.
    pub(crate) owner: bool,
    /// The table of the lines that this list of a document holds.
    pub(crate) lines: Option<String>,
    /// The code list that its values come from.
    pub(crate) list: Option<String>,
    /// The property that holds the code to which this property's code must belong.
    pub(crate) within: Option<usize>,
    pub(crate) derived: Option<Derived>,
    pub(crate) server: Option<ServerValue>,
    /// What a new record holds that does not name the property: the first of these that is something.
    pub(crate) initial: Vec<Initial>,
    pub(crate) english: String,
    pub(crate) dutch: String,
}

/// What one record of a table is called, and several of them, in English and in Dutch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels {
    pub(crate) one: [&'static str; 2],
    pub(crate) several: [&'static str; 2],
}

/// The properties of the records of one table, with the ways to find them.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) properties: Vec<Property>,
    pub(crate) key: usize,
    /// The position of the property that names the record's owner, where it has one.
    pub(crate) owner: Option<usize>,
    pub(crate) labels: Labels,
    /// Its number in the feed of deleted records, where it has one.
    pub(crate) deleted_type: Option<i64>,
    /// Whether there are records of it; others are the form of an answer only.
    pub(crate) stored: bool,
    positions: HashMap<String, usize>,
}

impl Shape {
    /// The position of the property with exactly this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The table of this document's lines, where it is one.
    pub(crate) fn lines(&self) -> Option<&'static Shape> {
        self.properties.iter().find_map(|property| property.lines.as_deref()).map(shape_of)
    }

    /// The position of the property that the service fills with `value`.
    pub(crate) fn server_position(&self, value: ServerValue) -> Option<usize> {
        self.properties.iter().position(|property| property.server == Some(value))
    }
}

/// The text of a table, with its name.
macro_rules! table {
    ($name:literal) => {
        ($name, include_str!(concat!("tables/", $name, ".tsv")))
    };
}

const TABLES: &[(&str, &str)] = &[
    table!("accept_quotation"),
    table!("accounts"),
    table!("complete_sales_order"),
    table!("contacts"),
    table!("deleted"),
    table!("divisions"),
    table!("hrm_divisions"),
    table!("item_groups"),
    table!("items"),
    table!("me"),
    table!("payment_conditions"),
    table!("print_quotation"),
    table!("quotation_lines"),
    table!("quotations"),
    table!("reject_quotation"),
    table!("reopen_quotation"),
    table!("review_quotation"),
    table!("sales_item_prices"),
    table!("sales_order_lines"),
    table!("sales_orders"),
    table!("units"),
    table!("users"),
    table!("vat_codes"),
    table!("webhook_subscriptions"),
];

/// All shapes, by the name of their table.
pub(crate) static SHAPES: LazyLock<HashMap<&'static str, Shape>> = LazyLock::new(|| {
    TABLES
        .iter()
        .map(|(name, text)| (*name, table::read(name, text, include_str!("tables/entities.tsv"))))
        .collect()
});

/// The shape of a table that is named by an endpoint or by another table.
pub(crate) fn shape_of(table: &str) -> &'static Shape {
    SHAPES.get(table).expect("every table named in the source has a shape")
}
