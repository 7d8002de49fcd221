//! Lines of orders and quotes.

use crate::schema::{Kind, LINE_NUMBER, Property};

/// What a line of a document holds. `NetAmount` is what the caller wrote, as all amounts are: the CRM computes none.
pub(super) const LINES: &[Property] = &[
    Property::new(LINE_NUMBER, Kind::Integer),
    Property::new("ProductId", Kind::Reference("products")).required(),
    Property::new("ProductCode", Kind::Text),
    Property::new("Description", Kind::LongText),
    Property::new("Notes", Kind::LongText),
    Property::new("Quantity", Kind::Decimal).required(),
    Property::new("Unit", Kind::Text),
    Property::new("UnitPrice", Kind::Decimal),
    Property::new("ListPrice", Kind::Decimal),
    Property::new("DiscountPercent", Kind::Decimal),
    Property::new("VatCode", Kind::Text),
    Property::new("VatPercentage", Kind::Decimal),
    Property::new("VatAmount", Kind::Decimal),
    Property::new("NetAmount", Kind::Decimal),
    Property::new("DeliveryDate", Kind::Date),
    Property::new("IsOptional", Kind::Bool).initially(false),
];
