//! Quotations: how they begin, and what a review and an acceptance make of them.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::answer::Refused;
use crate::database::{Context, Database, Key, Row, Term};
use crate::edm::Value;
use crate::schema::{Shape, shape_of};
use crate::write::{Body, duplicate, message};

/// The statuses of a quotation that the actions move it between.
pub(super) mod status {
    pub(crate) const REJECTED: i64 = 5;
    pub(crate) const REVIEWED: i64 = 6;
    pub(crate) const DRAFT: i64 = 20;
    pub(crate) const OPEN: i64 = 25;
    pub(crate) const PRINTED: i64 = 40;
    pub(crate) const ACCEPTED: i64 = 50;
}

/// What an order takes from its quotation: the order's property and the quotation's.
const HEADER: [(&str, &str); 13] = [
    ("OrderedBy", "OrderAccount"),
    ("OrderedByContactPerson", "OrderAccountContact"),
    ("InvoiceTo", "InvoiceAccount"),
    ("InvoiceToContactPerson", "InvoiceAccountContact"),
    ("DeliverTo", "DeliveryAccount"),
    ("DeliverToContactPerson", "DeliveryAccountContact"),
    ("DeliveryDate", "DeliveryDate"),
    ("Description", "Description"),
    ("YourRef", "YourRef"),
    ("Remarks", "Remarks"),
    ("Currency", "Currency"),
    ("PaymentCondition", "PaymentCondition"),
    ("Salesperson", "SalesPerson"),
];

/// What a line of an order takes from that of its quotation.
const LINE: [&str; 9] =
    ["Item", "Description", "Quantity", "UnitCode", "UnitPrice", "Discount", "NetPrice", "VATCode", "Notes"];

impl Database {
    /// Gives a new quotation its status, and lets no two quotations have one number. The versions of a quotation
    /// share theirs: the later ones come from a review.
    pub(super) fn open_quotation(
        &self,
        shape: &Shape,
        row: &mut Row,
        asked: &BTreeSet<usize>,
        creating: bool,
        context: &Context<'_>,
    ) -> Vec<String> {
        if creating {
            row.set(shape, "Status", Value::Integer(first_status(context)));
        }
        let at = shape.position("QuotationNumber").expect("quotations are numbered");
        let Some(number) = Term::of(&row.values[at]).filter(|_| asked.contains(&at)) else {
            return Vec::new();
        };
        let own = if creating { None } else { Key::of(&row.values[shape.key]) };
        let present = own.and_then(|own| self.table(shape.name).rows.get(&own)).map(|row| &row.values[at]);
        if present == Some(&row.values[at]) {
            return Vec::new();
        }
        let mut holders = self.table(shape.name).holders(row.division, at, &number);
        if holders.any(|holder| Some(holder) != own) {
            return vec![duplicate(context.switches.language)];
        }
        Vec::new()
    }

    /// Copies a quotation that is reviewed: the same number, the next version, its lines under new ids. `form` tells
    /// what the copy has otherwise.
    pub(super) fn review(&mut self, quotation: &Row, form: &Row, context: &Context<'_>) -> Uuid {
        let (shape, lines) = (shape_of("quotations"), shape_of("quotation_lines"));
        let asked = shape_of("review_quotation");
        let mut copy = quotation.clone();
        copy.set(shape, "Status", Value::Integer(first_status(context)));
        copy.set(shape, "VersionNumber", Value::Integer(self.last_version(shape, quotation) + 1));
        copy.set(shape, "QuotationDate", context.today());
        for name in [
            "Description",
            "Document",
            "OrderAccount",
            "OrderAccountContact",
            "PaymentCondition",
            "QuotationDate",
        ] {
            if *form.get(asked, name) != Value::Null {
                copy.set(shape, name, form.get(asked, name).clone());
            }
        }
        if *form.get(asked, "OrderAccount") != Value::Null {
            for name in ["InvoiceAccount", "DeliveryAccount"] {
                copy.set(shape, name, form.get(asked, "OrderAccount").clone());
            }
        }
        let id = self.store_new(shape, copy, context);
        let keeps_prices = *form.get(asked, "CopyItemPrices") != Value::Boolean(false);
        for mut line in self.lines(lines, quotation, shape).into_iter().cloned().collect::<Vec<_>>() {
            line.set(lines, "QuotationID", Value::Guid(id));
            if !keeps_prices {
                self.price_anew(lines, &mut line, context);
            }
            self.store_new(lines, line, context);
        }
        id
    }

    /// Gives a line the sales price that its item has now.
    fn price_anew(&self, lines: &'static Shape, line: &mut Row, context: &Context<'_>) {
        let at = |name| lines.position(name).expect("lines have items and prices");
        let price = self.looked_up(lines, line, at("Item"), "StandardSalesPrice");
        line.set(lines, "UnitPrice", price);
        let mut priced = line.clone();
        // A price that can't be worked out leaves the line as it was quoted.
        if self.reckon_line(lines, &mut priced, &[at("UnitPrice")].into(), false, context).is_empty() {
            *line = priced;
        }
    }

    fn last_version(&self, shape: &Shape, quotation: &Row) -> i64 {
        let at = shape.position("QuotationNumber").expect("quotations are numbered");
        let table = self.table(shape.name);
        let number = Term::of(&quotation.values[at]);
        let keys = number
            .into_iter()
            .flat_map(|number| table.holders(quotation.division, at, &number).collect::<Vec<_>>());
        keys.filter_map(|key| match table.rows.get(&key)?.get(shape, "VersionNumber") {
            Value::Integer(version) => Some(*version),
            _ => None,
        })
        .max()
        .unwrap_or(1)
    }

    /// Makes a sales order of a quotation: its account, texts and all lines that are not optional. The order keeps no
    /// reference to the quotation, as the real one keeps none.
    pub(super) fn order_from(&mut self, quotation: &Row, context: &Context<'_>) -> Result<Uuid, Refused> {
        let (shape, lines) = (shape_of("quotations"), shape_of("quotation_lines"));
        let (order, order_lines) = (shape_of("sales_orders"), shape_of("sales_order_lines"));
        let mut body = Body::of(order, HEADER.map(|(name, from)| (name, quotation.get(shape, from).clone())));
        let quoted = self.lines(lines, quotation, shape);
        let taken = quoted.into_iter().filter(|line| *line.get(lines, "Optional") != Value::Boolean(true));
        body.lines = taken
            .map(|line| Body::of(order_lines, LINE.map(|name| (name, line.get(lines, name).clone()))))
            .collect();
        if body.lines.is_empty() {
            let at = order.position("SalesOrderLines").expect("orders have lines");
            let text = message(context.switches.language, &order.properties[at], "Mandatory", "Verplicht");
            return Err(Refused::business(&[text]));
        }
        self.insert(order, body, context)
    }
}

fn first_status(context: &Context<'_>) -> i64 {
    if context.switches.quotations_start_as_drafts { status::DRAFT } else { status::OPEN }
}
