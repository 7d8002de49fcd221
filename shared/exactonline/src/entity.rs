//! The entities that Tandem keeps, and where Exact's API has them.

use model::{Content, Properties};

use crate::{Resource, guid_literal, text_literal};

/// Account codes of digits are stored with blanks on the left up to this width (a fact of the API).
const CODE_WIDTH: usize = 18;

/// A sync feed: the rows that changed, each at its row version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// Its path below `sync/`.
    pub path: &'static str,
    /// The property that names the record. The header feeds have an `ID` of their own beside it, of which nothing is
    /// promised.
    pub key: &'static str,
}

/// Where an entity is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    /// Its name in queues, keys and pair files.
    pub name: &'static str,
    /// Where single records are found and written.
    pub resource: Resource<'static>,
    /// Its sync feed; of a document that of its headers.
    pub feed: Feed,
    /// Its number in the log of deletions (a fact of the API: `EntityType` of `sync/Deleted`).
    pub deleted_type: u64,
    /// What webhooks call it. That of a document tells of its lines too; sales prices have none.
    pub topic: &'static str,
    /// What else its records are made of.
    pub parts: Option<Parts>,
    /// Properties that Exact derives from the lines: a line's change alters them and gives the header no new row version,
    /// so the header feed does not show them in time.
    pub(crate) late: &'static [&'static str],
    /// What is known of its properties, a line each.
    pub(crate) table: &'static str,
}

/// Rows of another table that belong to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// What they are.
    pub kind: PartKind,
    /// Where single ones are found and written.
    pub resource: Resource<'static>,
    /// Their sync feed.
    pub feed: Feed,
    /// The property that names the record that they belong to.
    pub parent: &'static str,
    /// Their number in the log of deletions.
    pub deleted_type: u64,
    /// What is known of their properties, a line each.
    pub(crate) table: &'static str,
}

/// What the parts of a record are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// The lines of a document, which its record lists under this name.
    Lines(&'static str),
    /// The sales prices of an item, of which its record holds one under this name. The API's record of an item has it
    /// too, read-only, but the item's feed has not.
    Prices(&'static str),
}

const ENTITIES: [Entity; 5] = [
    Entity {
        name: "accounts",
        resource: Resource::authored("crm/Accounts", "ID"),
        feed: Feed { path: "CRM/Accounts", key: "ID" },
        deleted_type: 2,
        topic: "Accounts",
        parts: None,
        late: &[],
        table: include_str!("facts/accounts.tsv"),
    },
    Entity {
        name: "contacts",
        resource: Resource::authored("crm/Contacts", "ID"),
        feed: Feed { path: "CRM/Contacts", key: "ID" },
        deleted_type: 5,
        topic: "Contacts",
        parts: None,
        late: &[],
        table: include_str!("facts/contacts.tsv"),
    },
    Entity {
        name: "items",
        resource: Resource::authored("logistics/Items", "ID"),
        feed: Feed { path: "Logistics/Items", key: "ID" },
        deleted_type: 9,
        topic: "Items",
        parts: Some(Parts {
            kind: PartKind::Prices("StandardSalesPrice"),
            resource: Resource::authored("logistics/SalesItemPrices", "ID"),
            feed: Feed { path: "Logistics/SalesItemPrices", key: "ID" },
            parent: "Item",
            deleted_type: 8,
            table: include_str!("facts/sales-item-prices.tsv"),
        }),
        late: &[],
        table: include_str!("facts/items.tsv"),
    },
    Entity {
        name: "salesorders",
        resource: Resource::authored("salesorder/SalesOrders", "OrderID"),
        feed: Feed { path: "SalesOrder/SalesOrderHeaders", key: "OrderID" },
        deleted_type: 32,
        topic: "SalesOrders",
        parts: Some(Parts {
            kind: PartKind::Lines("SalesOrderLines"),
            resource: Resource::unauthored("salesorder/SalesOrderLines", "ID"),
            feed: Feed { path: "SalesOrder/SalesOrderLines", key: "ID" },
            parent: "OrderID",
            deleted_type: 33,
            table: include_str!("facts/salesorder-lines.tsv"),
        }),
        late: &[
            "AmountDC",
            "AmountFC",
            "AmountFCExclVat",
            "DeliveryStatus",
            "DeliveryStatusDescription",
            "InvoiceStatus",
            "InvoiceStatusDescription",
            "Status",
            "StatusDescription",
        ],
        table: include_str!("facts/salesorders.tsv"),
    },
    Entity {
        name: "quotations",
        resource: Resource::authored("crm/Quotations", "QuotationID"),
        feed: Feed { path: "CRM/QuotationHeaders", key: "QuotationID" },
        deleted_type: 34,
        topic: "Quotations",
        parts: Some(Parts {
            kind: PartKind::Lines("QuotationLines"),
            resource: Resource::unauthored("crm/QuotationLines", "ID"),
            feed: Feed { path: "CRM/QuotationLines", key: "ID" },
            parent: "QuotationID",
            deleted_type: 35,
            table: include_str!("facts/quotation-lines.tsv"),
        }),
        late: &["AmountDC", "AmountDiscount", "AmountDiscountExclVat", "AmountFC", "VATAmountFC"],
        table: include_str!("facts/quotations.tsv"),
    },
];

impl Entity {
    /// The entity of this name; `None` when Exact has none, or none that is kept.
    pub fn named(name: &str) -> Option<Self> {
        ENTITIES.into_iter().find(|entity| entity.name == name)
    }

    /// The entity that webhooks call so; `None` when none is kept that has this topic.
    pub fn with_topic(topic: &str) -> Option<Self> {
        ENTITIES.into_iter().find(|entity| entity.topic == topic)
    }

    /// The names of all entities, for messages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ENTITIES.iter().map(|entity| entity.name)
    }

    /// Whether its records are documents: a header and lines, which are told apart and written one by one.
    pub fn has_lines(&self) -> bool {
        self.lines_name().is_some()
    }

    /// What a document's record calls its lines.
    pub fn lines_name(&self) -> Option<&'static str> {
        match self.parts?.kind {
            PartKind::Lines(name) => Some(name),
            PartKind::Prices(_) => None,
        }
    }

    /// What an item's record calls its sales price, which is kept in a record of its own.
    pub fn price_name(&self) -> Option<&'static str> {
        match self.parts?.kind {
            PartKind::Prices(name) => Some(name),
            PartKind::Lines(_) => None,
        }
    }

    /// Takes an item's sales price out of what is to be written to the item.
    pub fn take_price(&self, properties: &mut Properties) -> Option<Content> {
        properties.remove(self.price_name()?)
    }

    /// A filter for the records that hold this; `None` for what no filter can say.
    pub fn condition(&self, name: &str, content: &Content) -> Option<String> {
        let literal = match (self.fact(name)?.edm, content) {
            ("Edm.Guid", Content::Text(id)) => guid_literal(id)?,
            ("Edm.DateTime", Content::Text(moment)) => format!("datetime{}", text_literal(moment)),
            ("Edm.String", Content::Text(text)) if self.name == "accounts" && name == "Code" => {
                text_literal(&padded(text.trim()))
            }
            ("Edm.String", Content::Text(text)) => text_literal(text),
            (_, Content::Boolean(yes)) => yes.to_string(),
            (_, Content::Number(number)) => number.normalize().to_string(),
            _ => return None,
        };
        Some(format!("{name} eq {literal}"))
    }
}

impl Parts {
    /// A filter for the parts of this record; `None` when the text is no id of Exact's.
    pub fn condition(&self, record: &str) -> Option<String> {
        Some(format!("{} eq {}", self.parent, guid_literal(record)?))
    }
}

fn padded(code: &str) -> String {
    if code.chars().all(|c| c.is_ascii_digit()) { format!("{code:>CODE_WIDTH$}") } else { code.to_owned() }
}
