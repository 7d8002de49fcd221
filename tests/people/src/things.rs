//! What people make in a storm, and where each system keeps it.

use std::fmt;

use model::System;

/// What a thing is to the people who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A customer, an account.
    Company,
    /// A contact on both sides.
    Contact,
    /// A product, an item.
    Article,
    /// A quote, a quotation.
    Quote,
    /// An order in draft of the CRM, which has a quotation of its own; once it is confirmed, a sales order too.
    Draft,
    /// A confirmed order, a sales order.
    Order,
}

/// One thing: its kind, and the mark by which a person finds it on either side. A mark is unique among its kind, and
/// nobody ever edits it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// By what it is found.
    pub mark: String,
}

/// Where a system keeps the records of an entity.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The collection, or the endpoint behind the division.
    pub path: &'static str,
    /// The property that is the record's key.
    pub id: &'static str,
    /// The property that bears the mark.
    pub mark: &'static str,
    /// Where Exact keeps the lines of a document.
    pub lines: Option<LinesPlace>,
}

/// Where Exact keeps the lines of a document.
#[derive(Debug, Clone, Copy)]
pub struct LinesPlace {
    /// The endpoint behind the division.
    pub path: &'static str,
    /// The property that names the document.
    pub parent: &'static str,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} \"{}\"", self.kind, self.mark)
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Company, Self::Contact, Self::Article, Self::Quote, Self::Draft, Self::Order];

    /// The pair that keeps it.
    pub const fn pair(self) -> &'static str {
        match self {
            Self::Company => "customer-account",
            Self::Contact => "contact-contact",
            Self::Article => "product-item",
            Self::Quote => "quote-quotation",
            Self::Draft => "order-quotation",
            Self::Order => "order-salesorder",
        }
    }

    /// The row that bears the mark.
    pub const fn mark_row(self) -> &'static str {
        match self {
            Self::Company | Self::Quote | Self::Draft | Self::Order => "Name",
            Self::Contact => "LastName",
            Self::Article => "Code",
        }
    }

    /// What its mark begins with.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Company => "Firma",
            Self::Contact => "Jansen",
            Self::Article => "ART",
            Self::Quote => "Offerte",
            Self::Draft => "Concept",
            Self::Order => "Bestelling",
        }
    }

    /// Whether it has lines.
    pub const fn has_lines(self) -> bool {
        matches!(self, Self::Quote | Self::Draft | Self::Order)
    }

    /// Where it is kept.
    pub const fn place(self, system: System) -> Place {
        match (system, self) {
            (System::CustomCrm, Self::Company) => CUSTOMERS,
            (System::CustomCrm, Self::Contact) => CRM_CONTACTS,
            (System::CustomCrm, Self::Article) => PRODUCTS,
            (System::CustomCrm, Self::Quote) => QUOTES,
            (System::CustomCrm, Self::Draft | Self::Order) => ORDERS,
            (System::ExactOnline, Self::Company) => ACCOUNTS,
            (System::ExactOnline, Self::Contact) => EXACT_CONTACTS,
            (System::ExactOnline, Self::Article) => ITEMS,
            (System::ExactOnline, Self::Quote | Self::Draft) => QUOTATIONS,
            (System::ExactOnline, Self::Order) => SALES_ORDERS,
        }
    }
}

/// Where an entity of the pair files is kept.
///
/// # Panics
///
/// For an entity that no pair has.
pub(crate) fn place(system: System, entity: &str) -> Place {
    match (system, entity) {
        (System::CustomCrm, "users") => USERS,
        (System::CustomCrm, "customers") => CUSTOMERS,
        (System::CustomCrm, "contacts") => CRM_CONTACTS,
        (System::CustomCrm, "products") => PRODUCTS,
        (System::CustomCrm, "quotes") => QUOTES,
        (System::CustomCrm, "orders") => ORDERS,
        (System::ExactOnline, "accounts") => ACCOUNTS,
        (System::ExactOnline, "contacts") => EXACT_CONTACTS,
        (System::ExactOnline, "items") => ITEMS,
        (System::ExactOnline, "quotations") => QUOTATIONS,
        (System::ExactOnline, "salesorders") => SALES_ORDERS,
        (system, entity) => panic!("{system:?} has no entity {entity} in a storm"),
    }
}

const USERS: Place = crm("users", "FullName");
const CUSTOMERS: Place = crm("customers", "Name");
const CRM_CONTACTS: Place = crm("contacts", "LastName");
const PRODUCTS: Place = crm("products", "Code");
const QUOTES: Place = crm("quotes", "Name");
const ORDERS: Place = crm("orders", "Name");
const ACCOUNTS: Place = exact("crm/Accounts", "ID", "Name", None);
const EXACT_CONTACTS: Place = exact("crm/Contacts", "ID", "LastName", None);
const ITEMS: Place = exact("logistics/Items", "ID", "Code", None);
/// Where Exact keeps quotations.
pub(crate) const QUOTATIONS: Place = exact(
    "crm/Quotations",
    "QuotationID",
    "Description",
    Some(LinesPlace { path: "crm/QuotationLines", parent: "QuotationID" }),
);
/// Where Exact keeps sales orders.
pub(crate) const SALES_ORDERS: Place = exact(
    "salesorder/SalesOrders",
    "OrderID",
    "Description",
    Some(LinesPlace { path: "salesorder/SalesOrderLines", parent: "OrderID" }),
);

const fn crm(path: &'static str, mark: &'static str) -> Place {
    Place { path, id: "Id", mark, lines: None }
}

const fn exact(path: &'static str, id: &'static str, mark: &'static str, lines: Option<LinesPlace>) -> Place {
    Place { path, id, mark, lines }
}
