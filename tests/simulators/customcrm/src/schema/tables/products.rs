//! Products.

use crate::schema::{Kind, Property, Schema};

/// Products, what the CRM's owner sells.
pub static PRODUCTS: Schema = Schema {
    collection: "products",
    entity: "product",
    properties: &[
        Property::new("Code", Kind::Text).required().unique(),
        Property::new("Name", Kind::Text).required(),
        Property::new("Description", Kind::LongText),
        Property::new("Category", Kind::Text).searchable(),
        Property::new("Unit", Kind::Text).searchable(),
        Property::new("SalesPrice", Kind::Decimal),
        Property::new("Currency", Kind::Text).searchable(),
        Property::new("CostPrice", Kind::Decimal),
        Property::new("CostCurrency", Kind::Text).searchable(),
        Property::new("VatCode", Kind::Text).searchable(),
        Property::new("VatPercentage", Kind::Decimal),
        Property::new("Barcode", Kind::Text).searchable(),
        Property::new("IsActive", Kind::Bool).initially(true),
        Property::new("IsSellable", Kind::Bool).initially(true),
        Property::new("IsStockItem", Kind::Bool).initially(false),
        Property::new("IsService", Kind::Bool).initially(false),
        Property::new("StockQuantity", Kind::Decimal),
        Property::new("Weight", Kind::Decimal),
        Property::new("ValidFrom", Kind::Date),
        Property::new("ValidTo", Kind::Date),
        Property::new("Notes", Kind::LongText),
        Property::new("ImageUrl", Kind::Text),
    ],
    lines: None,
};
