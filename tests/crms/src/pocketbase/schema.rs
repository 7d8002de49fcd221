//! The collections of the PocketBase: CustomCRM's default schema in PocketBase's own types.
//!
//! Everything that is neither yes nor no is a text. PocketBase's number is a binary fraction with 0 for nothing, and a
//! text keeps a decimal as it is written and nothing as nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A collection.
#[derive(Debug)]
pub struct Collection {
    /// What PocketBase calls it.
    pub name: &'static str,
    /// The names of texts, codes, days and references, with spaces between them.
    texts: &'static str,
    /// Of decimals, which are kept as texts.
    numbers: &'static str,
    /// Of what is yes or no.
    booleans: &'static str,
    /// What two records never have in common, except for nothing.
    unique: Option<&'static str>,
    /// Of lines: the collection of their documents, with which they go. A line names its document in `parent`.
    documents: Option<&'static str>,
}

/// What is made, documents before their lines.
pub const COLLECTIONS: [Collection; 7] = [
    CUSTOMERS,
    CONTACTS,
    PRODUCTS,
    ORDERS,
    QUOTES,
    lines("order_lines", "orders"),
    lines("quote_lines", "quotes"),
];

const CUSTOMERS: Collection = Collection {
    name: "customers",
    texts: "CustomerNumber Name OrganizationNumber VatNumber Email Phone Fax Website StreetAddress1 \
            StreetAddress2 StreetAddress3 ZipCode City State Country Currency Language Status \
            Industry PaymentTerms OwnerId ParentId MainContactId Description",
    numbers: "EmployeeCount AnnualRevenue DiscountPercent CreditLimit",
    booleans: "IsActive",
    unique: None,
    documents: None,
};

const CONTACTS: Collection = Collection {
    name: "contacts",
    texts: "CustomerId Salutation FirstName MiddleName LastName FullName Initials JobTitle \
            Department Email WorkEmail Phone WorkPhone Mobile WorkMobile Fax BirthDate Gender \
            Language StreetAddress1 ZipCode City State Country OwnerId Notes",
    numbers: "",
    booleans: "IsPrimary DoNotMail DoNotCall IsActive",
    unique: None,
    documents: None,
};

const PRODUCTS: Collection = Collection {
    name: "products",
    texts: "Code Name Description Category Unit Currency CostCurrency VatCode Barcode ValidFrom \
            ValidTo Notes ImageUrl",
    numbers: "SalesPrice CostPrice VatPercentage StockQuantity Weight",
    booleans: "IsActive IsSellable IsStockItem IsService",
    unique: Some("Code"),
    documents: None,
};

const ORDERS: Collection = Collection {
    name: "orders",
    texts: "OrderNumber CustomerId ContactId OwnerId InvoiceCustomerId DeliveryCustomerId \
            QuotationNumber QuoteId Name OrderDate DeliveryDate ValidUntil Status Currency \
            PaymentTerms CustomerReference Notes",
    numbers: "DiscountPercent SubTotal TaxAmount TotalAmount",
    booleans: "",
    unique: None,
    documents: None,
};

const QUOTES: Collection = Collection {
    name: "quotes",
    texts: "QuoteNumber Name CustomerId ContactId OwnerId OrderId InvoiceCustomerId \
            DeliveryCustomerId QuoteDate ExpiryDate ExpectedCloseDate DeliveryDate ClosedDate Status \
            Currency PaymentTerms CustomerReference Notes",
    numbers: "VersionNumber DiscountPercent SubTotal TaxAmount TotalAmount",
    booleans: "",
    unique: None,
    documents: None,
};

const fn lines(name: &'static str, documents: &'static str) -> Collection {
    Collection {
        name,
        texts: "ProductId ProductCode Description Notes Unit VatCode DeliveryDate",
        numbers: "LineNumber Quantity UnitPrice ListPrice DiscountPercent VatPercentage VatAmount \
            NetAmount",
        booleans: "IsOptional",
        unique: None,
        documents: Some(documents),
    }
}

/// What is added to the users that PocketBase has by itself.
pub const USERS: Collection = Collection {
    name: "users",
    texts: "FirstName LastName Phone Mobile",
    numbers: "",
    booleans: "IsActive",
    unique: None,
    documents: None,
};

/// Whether the records of a collection have lines.
pub(crate) fn is_document(collection: &str) -> bool {
    COLLECTIONS.iter().any(|lines| lines.documents == Some(collection))
}

impl Collection {
    /// The names of its decimals, which it writes as texts.
    pub fn numbers(&self) -> impl Iterator<Item = &'static str> {
        self.numbers.split_whitespace()
    }

    /// As PocketBase takes it; `ids` are the ids of the collections that it has.
    pub(super) fn definition(&self, ids: &BTreeMap<&str, String>) -> Value {
        let mut fields = self.fields(ids);
        fields.push(json!({ "name": "created", "type": "autodate", "onCreate": true }));
        fields.push(json!({ "name": "updated", "type": "autodate", "onCreate": true, "onUpdate": true }));
        let indexes: Vec<String> = self.unique.iter().map(|property| self.index(property)).collect();
        json!({ "name": self.name, "type": "base", "fields": fields, "indexes": indexes })
    }

    /// Its properties as PocketBase takes them.
    pub(super) fn fields(&self, ids: &BTreeMap<&str, String>) -> Vec<Value> {
        let texts = self.texts.split_whitespace().chain(self.numbers());
        let texts = texts.map(|name| json!({ "name": name, "type": "text" }));
        let booleans = self.booleans.split_whitespace().map(|name| json!({ "name": name, "type": "bool" }));
        let parent = self.documents.map(|documents| {
            json!({
                "name": "parent", "type": "relation", "collectionId": ids[documents], "required": true,
                "maxSelect": 1, "cascadeDelete": true,
            })
        });
        texts.chain(booleans).chain(parent).collect()
    }

    fn index(&self, property: &str) -> String {
        let name = self.name;
        format!(
            "CREATE UNIQUE INDEX unique_{property}_of_{name} ON {name} ({property}) WHERE {property} != ''"
        )
    }
}
