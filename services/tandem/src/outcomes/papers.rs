//! The documents that a person writes on either side: two lines of bolts for Acme.

use serde_json::{Value, json};

use super::world::World;

/// Where Exact keeps quotations.
pub(super) const QUOTATIONS: &str = "crm/Quotations";
/// Where Exact keeps sales orders.
pub(super) const SALES_ORDERS: &str = "salesorder/SalesOrders";

impl World {
    /// An order of the CRM with this status.
    pub(super) fn order(&self, status: Option<&str>) -> Value {
        json!({
            "CustomerId": self.customer.crm,
            "Status": status,
            "Lines": [
                { "ProductId": self.product.crm, "Quantity": 2, "UnitPrice": 9.95 },
                { "ProductId": self.product.crm, "Quantity": 3, "UnitPrice": 8.5 },
            ],
        })
    }

    /// An order of the CRM that was made of a quote.
    pub(super) fn order_of(&self, quote: &str, status: &str) -> Value {
        let mut order = self.order(Some(status));
        order["QuoteId"] = json!(quote);
        order
    }

    /// A quote of the CRM.
    pub(super) fn quote(&self) -> Value {
        self.order(Some("Draft"))
    }

    /// A quotation of Exact.
    pub(super) fn quotation(&self) -> Value {
        json!({
            "OrderAccount": self.customer.exact,
            "Description": "Bolts ⚙",
            "QuotationLines": self.lines_in_exact(),
        })
    }

    /// A sales order of Exact.
    pub(super) fn sales_order(&self) -> Value {
        json!({
            "OrderedBy": self.customer.exact,
            "Description": "Bolts ⚙",
            "SalesOrderLines": self.lines_in_exact(),
        })
    }

    fn lines_in_exact(&self) -> Value {
        json!([
            { "Item": self.product.exact, "Quantity": 2, "UnitPrice": 9.95 },
            { "Item": self.product.exact, "Quantity": 3, "UnitPrice": 8.5 },
        ])
    }

    /// Prints a quotation and reviews it.
    pub(super) fn reviews(&self, quotation: &str) {
        self.acts("PrintQuotation", quotation, json!({}));
        self.acts("ReviewQuotation", quotation, json!({ "Description": "Bolts, cheaper" }));
    }

    /// Prints a quotation and accepts it, with a sales order of it.
    pub(super) fn accepts(&self, quotation: &str) {
        self.acts("PrintQuotation", quotation, json!({}));
        self.acts("AcceptQuotation", quotation, json!({ "Action": 1 }));
    }
}
