//! The calls that do something with a document. An action that can't be done succeeds as a call, and tells so in the
//! form that it answers with. The words of success and failure are inferred; their properties are documented.

use std::collections::BTreeSet;

use super::quotations::status;
use crate::answer::Refused;
use crate::database::{Context, Database, Key, Row};
use crate::edm::Value;
use crate::schema::{Action, Endpoint, Shape, shape_of};
use crate::write::{Body, Purpose, message};

/// What a call may name that asks for a sales order of a quotation. One that names more, be it with nulls, was seen
/// to accept the quotation and to make no order.
const FOR_AN_ORDER: [&str; 7] =
    ["QuotationID", "Action", "Division", "NotificationLayout", "OpportunityStage", "ReasonCode", "YourRef"];

/// A form that is being answered.
struct Form {
    shape: &'static Shape,
    row: Row,
    asked: BTreeSet<usize>,
}

impl Form {
    fn get(&self, name: &str) -> &Value {
        self.row.get(self.shape, name)
    }

    fn say(&mut self, name: &str, text: impl Into<String>) {
        self.row.set(self.shape, name, Value::Text(text.into()));
    }

    /// The document that the form names.
    fn key(&self) -> Key {
        Key::of(&self.row.values[self.shape.key]).expect("a form without a document is refused")
    }
}

impl Database {
    /// Carries out an action; gives the form as it is answered.
    pub(crate) fn act(
        &mut self,
        endpoint: &Endpoint,
        action: Action,
        body: &str,
        context: &Context<'_>,
    ) -> Result<Row, Refused> {
        let shape = shape_of(endpoint.table);
        let body = Body::read(shape, body, Purpose::Create, context)?;
        let asked = body.named.keys().copied().collect();
        let mut row = Row::empty(shape, Some(context.division), context.now);
        self.settle(shape, &mut row, body, true, context)?;
        let mut form = Form { shape, row, asked };
        let done = match action {
            Action::AcceptQuotation => self.accept(&mut form, context),
            Action::PrintQuotation => self.print(&mut form, context),
            Action::RejectQuotation => self.reject(&form, context),
            Action::ReopenQuotation => self.reopen(&form, context),
            Action::ReviewQuotation => self.review_by(&mut form, context),
            Action::CompleteSalesOrder => self.complete(&form, context),
        };
        let (success, error) = match action {
            Action::PrintQuotation => ("DocumentCreationSuccess", "DocumentCreationError"),
            _ => ("SuccessMessage", "ErrorMessage"),
        };
        match done {
            Ok(()) => form.say(success, context.switches.language.pick("Successful", "Gelukt")),
            Err(text) => form.say(error, text),
        }
        Ok(form.row)
    }

    /// The quotation of a form, if it has one of these statuses.
    fn quotation(&self, form: &Form, from: &[i64], context: &Context<'_>) -> Result<Row, String> {
        let shape = shape_of("quotations");
        let row = self.table(shape.name).rows.get(&form.key()).expect("a form of an unknown one is refused");
        match row.get(shape, "Status") {
            Value::Integer(status) if from.contains(status) => Ok(row.clone()),
            _ => {
                let at = shape.position("Status").expect("quotations have a status");
                Err(message(context.switches.language, &shape.properties[at], "Invalid", "Ongeldig"))
            }
        }
    }

    fn move_to(&mut self, form: &Form, mut row: Row, status: i64, close_date: Value, context: &Context<'_>) {
        let shape = shape_of("quotations");
        row.set(shape, "Status", Value::Integer(status));
        row.set(shape, "CloseDate", close_date);
        self.store_changed(shape, form.key(), row, context);
    }

    fn print(&mut self, form: &mut Form, context: &Context<'_>) -> Result<(), String> {
        let shape = shape_of("quotations");
        let mut row = self.quotation(form, &[status::DRAFT, status::OPEN, status::PRINTED], context)?;
        if *form.get("QuotationDate") != Value::Null {
            row.set(shape, "QuotationDate", form.get("QuotationDate").clone());
        }
        form.row.set(form.shape, "Document", Value::Guid(ambient::new_random_id()));
        self.move_to(form, row, status::PRINTED, Value::Null, context);
        Ok(())
    }

    fn accept(&mut self, form: &mut Form, context: &Context<'_>) -> Result<(), String> {
        let shape = shape_of("quotations");
        let mut row = self.quotation(form, &[status::PRINTED], context)?;
        if *form.get("YourRef") != Value::Null {
            row.set(shape, "YourRef", form.get("YourRef").clone());
        }
        match form.get("Action") {
            Value::Integer(0) | Value::Null => {}
            Value::Integer(1) => {
                let allowed = |at: &usize| FOR_AN_ORDER.contains(&form.shape.properties[*at].name.as_str());
                if form.asked.iter().all(allowed) {
                    self.order_from(&row, context).map_err(|refused| refused.text)?;
                    // The real one tells no number and no id either.
                    let text =
                        context.switches.language.pick("Created: Sales order", "Aangemaakt: Verkooporder");
                    form.say("SalesOrderSuccess", text);
                }
            }
            // Invoices, projects and subscriptions are not simulated.
            _ => return Err(context.switches.language.pick("Invalid: Action", "Ongeldig: Actie").to_owned()),
        }
        self.move_to(form, row, status::ACCEPTED, context.today(), context);
        Ok(())
    }

    fn reject(&mut self, form: &Form, context: &Context<'_>) -> Result<(), String> {
        let row = self.quotation(form, &[status::PRINTED], context)?;
        self.move_to(form, row, status::REJECTED, context.today(), context);
        Ok(())
    }

    fn reopen(&mut self, form: &Form, context: &Context<'_>) -> Result<(), String> {
        let row = self.quotation(form, &[status::ACCEPTED, status::REJECTED], context)?;
        self.move_to(form, row, status::PRINTED, Value::Null, context);
        Ok(())
    }

    fn review_by(&mut self, form: &mut Form, context: &Context<'_>) -> Result<(), String> {
        let row = self.quotation(form, &[status::PRINTED], context)?;
        let id = self.review(&row, &form.row, context);
        form.row.set(form.shape, "NewQuotationID", Value::Guid(id));
        self.move_to(form, row, status::REVIEWED, Value::Null, context);
        Ok(())
    }

    /// Ends what is left to deliver and to invoice of a sales order and its lines.
    fn complete(&mut self, form: &Form, context: &Context<'_>) -> Result<(), String> {
        let (orders, lines) = (shape_of("sales_orders"), shape_of("sales_order_lines"));
        let mut order = self.table(orders.name).rows.get(&form.key()).cloned().expect("it is known");
        self.check_open(orders, &order, context).map_err(|refused| refused.text)?;
        let ends: Vec<&str> = [("CompleteDelivery", "DeliveryStatus"), ("CompleteInvoice", "InvoiceStatus")]
            .into_iter()
            .filter(|(asked, _)| *form.get(asked) == Value::Boolean(true))
            .map(|(_, status)| status)
            .collect();
        if ends.is_empty() {
            return Err(context.switches.language.pick("Nothing to do", "Niets te doen").to_owned());
        }
        let complete = Value::Integer(21);
        for line in self.owned_keys(lines, form.key(), context.division) {
            if let Some(mut row) = self.table(lines.name).rows.get(&line).cloned() {
                for status in &ends {
                    row.set(lines, status, complete.clone());
                }
                self.store_changed(lines, line, row, context);
            }
        }
        for status in &ends {
            order.set(orders, status, complete.clone());
        }
        let all =
            ["DeliveryStatus", "InvoiceStatus"].iter().all(|status| *order.get(orders, status) == complete);
        order.set(orders, "Status", if all { complete } else { Value::Integer(20) });
        self.store_changed(orders, form.key(), order, context);
        Ok(())
    }
}
