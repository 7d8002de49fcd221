//! The addresses of the API and the tables behind them.

const READ: &[&str] = &["GET"];
const WRITE: &[&str] = &["GET", "POST", "PUT", "DELETE"];

/// Which family of the API an endpoint belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Pages of 60 records.
    Regular,
    /// Read only, pages of 1,000 records, `$select` needed.
    Bulk,
    /// Read only, pages of 1,000 records in the order of their row version.
    Sync,
}

/// What a call does beside writing a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    AcceptQuotation,
    PrintQuotation,
    RejectQuotation,
    ReopenQuotation,
    ReviewQuotation,
    CompleteSalesOrder,
}

/// One address of the API and the table behind it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// The path behind the division, as the documentation spells it.
    pub(crate) path: &'static str,
    pub(crate) family: Family,
    pub(crate) table: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) methods: &'static [&'static str],
    /// A list needs `$select` or `$top=1`.
    pub(crate) select_needed: bool,
    /// `$select=*` is refused.
    pub(crate) star_refused: bool,
    /// A list needs a filter on one of the properties that are marked so.
    pub(crate) filter_needed: bool,
    /// The only properties that may be filtered on; empty means all.
    pub(crate) only_filters: &'static [&'static str],
    /// What a POST does; `None` is a new record.
    pub(crate) action: Option<Action>,
}

/// The only endpoint without a division.
pub(crate) const ME: Endpoint = list("current/Me", "me", "Exact.Web.Api.Models.System.Me");

/// Every endpoint that serves records.
const ENDPOINTS: &[Endpoint] = &[
    entity("crm/Accounts", "accounts", "Exact.Web.Api.Models.Account"),
    bulk("bulk/CRM/Accounts", "accounts", "Exact.Web.Api.Models.Bulk.CRM.Account"),
    feed("sync/CRM/Accounts", "accounts", "Exact.Web.Api.Models.Sync.CRM.Account"),
    entity("crm/Contacts", "contacts", "Exact.Web.Api.Models.Contact"),
    bulk("bulk/CRM/Contacts", "contacts", "Exact.Web.Api.Models.Bulk.CRM.Contact"),
    starless(feed("sync/CRM/Contacts", "contacts", "Exact.Web.Api.Models.Sync.CRM.Contact")),
    entity("logistics/Items", "items", "Exact.Web.Api.Models.Logistics.Item"),
    bulk("bulk/Logistics/Items", "items", "Exact.Web.Api.Models.Bulk.Logistics.Item"),
    starless(feed("sync/Logistics/Items", "items", "Exact.Web.Api.Models.Sync.Logistics.Item")),
    entity("logistics/SalesItemPrices", "sales_item_prices", "Exact.Web.Api.Models.Logistics.SalesItemPrice"),
    bulk(
        "bulk/Logistics/SalesItemPrices",
        "sales_item_prices",
        "Exact.Web.Api.Models.Bulk.Logistics.SalesItemPrice",
    ),
    starless(feed(
        "sync/Logistics/SalesItemPrices",
        "sales_item_prices",
        "Exact.Web.Api.Models.Sync.Logistics.SalesItemPrice",
    )),
    entity("salesorder/SalesOrders", "sales_orders", "Exact.Web.Api.Models.SalesOrder.SalesOrder"),
    bulk("bulk/SalesOrder/SalesOrders", "sales_orders", "Exact.Web.Api.Models.Bulk.SalesOrder.SalesOrder"),
    feed(
        "sync/SalesOrder/SalesOrderHeaders",
        "sales_orders",
        "Exact.Web.Api.Models.Sync.SalesOrder.SalesOrderHeader",
    ),
    entity(
        "salesorder/SalesOrderLines",
        "sales_order_lines",
        "Exact.Web.Api.Models.SalesOrder.SalesOrderLine",
    ),
    bulk(
        "bulk/SalesOrder/SalesOrderLines",
        "sales_order_lines",
        "Exact.Web.Api.Models.Bulk.SalesOrder.SalesOrderLine",
    ),
    feed(
        "sync/SalesOrder/SalesOrderLines",
        "sales_order_lines",
        "Exact.Web.Api.Models.Sync.SalesOrder.SalesOrderLine",
    ),
    entity("crm/Quotations", "quotations", "Exact.Web.Api.Models.CRM.Quotation"),
    bulk("bulk/CRM/Quotations", "quotations", "Exact.Web.Api.Models.Bulk.CRM.Quotation"),
    feed("sync/CRM/QuotationHeaders", "quotations", "Exact.Web.Api.Models.Sync.CRM.QuotationHeader"),
    entity("crm/QuotationLines", "quotation_lines", "Exact.Web.Api.Models.CRM.QuotationLine"),
    bulk("bulk/CRM/QuotationLines", "quotation_lines", "Exact.Web.Api.Models.Bulk.CRM.QuotationLine"),
    feed("sync/CRM/QuotationLines", "quotation_lines", "Exact.Web.Api.Models.Sync.CRM.QuotationLine"),
    act("crm/AcceptQuotation", "accept_quotation", Action::AcceptQuotation),
    act("crm/PrintQuotation", "print_quotation", Action::PrintQuotation),
    act("crm/RejectQuotation", "reject_quotation", Action::RejectQuotation),
    act("crm/ReopenQuotation", "reopen_quotation", Action::ReopenQuotation),
    act("crm/ReviewQuotation", "review_quotation", Action::ReviewQuotation),
    act("salesorder/CompleteSalesOrder", "complete_sales_order", Action::CompleteSalesOrder),
    list("logistics/Units", "units", "Exact.Web.Api.Models.Logistics.Unit"),
    list("logistics/ItemGroups", "item_groups", "Exact.Web.Api.Models.Logistics.ItemGroup"),
    list("vat/VATCodes", "vat_codes", "Exact.Web.Api.Models.Financial.VATCode"),
    list(
        "cashflow/PaymentConditions",
        "payment_conditions",
        "Exact.Web.Api.Models.Cashflow.PaymentCondition",
    ),
    Endpoint {
        only_filters: &["Timestamp", "EntityType"],
        ..feed("sync/Deleted", "deleted", "Exact.Web.Api.Models.Sync.Deleted")
    },
    list("hrm/Divisions", "hrm_divisions", "Exact.Web.Api.Models.HRM.Division"),
    list("system/Divisions", "divisions", "Exact.Web.Api.Models.System.Division"),
    list("users/Users", "users", "Exact.Web.Api.Models.Users.User"),
    // The reference lists PUT, and it was seen to be refused.
    Endpoint {
        methods: &["GET", "POST", "DELETE"],
        ..list(
            "webhooks/WebhookSubscriptions",
            "webhook_subscriptions",
            "Exact.Web.Api.Models.Webhooks.WebhookSubscription",
        )
    },
];

/// The endpoint of a path behind the division; service and resource in any case.
pub(crate) fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path.eq_ignore_ascii_case(path))
}

/// The regular endpoint over a table.
pub(crate) fn regular_endpoint(table: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.family == Family::Regular && endpoint.table == table)
}

/// A list that is only read.
const fn list(path: &'static str, table: &'static str, type_name: &'static str) -> Endpoint {
    Endpoint {
        path,
        family: Family::Regular,
        table,
        type_name,
        methods: READ,
        select_needed: false,
        star_refused: false,
        filter_needed: false,
        only_filters: &[],
        action: None,
    }
}

/// Records that are read and written. Each of them has a feed, and where there is one the list needs a filter.
const fn entity(path: &'static str, table: &'static str, type_name: &'static str) -> Endpoint {
    Endpoint { methods: WRITE, select_needed: true, filter_needed: true, ..list(path, table, type_name) }
}

const fn bulk(path: &'static str, table: &'static str, type_name: &'static str) -> Endpoint {
    Endpoint { family: Family::Bulk, select_needed: true, ..list(path, table, type_name) }
}

const fn feed(path: &'static str, table: &'static str, type_name: &'static str) -> Endpoint {
    Endpoint { family: Family::Sync, only_filters: &["Timestamp"], ..list(path, table, type_name) }
}

/// An action: its table is the form of its request and of its answer.
const fn act(path: &'static str, table: &'static str, action: Action) -> Endpoint {
    Endpoint { methods: &["POST"], action: Some(action), ..list(path, table, "Exact.Web.Api.Models.Action") }
}

/// A feed that refuses `$select=*`.
const fn starless(endpoint: Endpoint) -> Endpoint {
    Endpoint { star_refused: true, ..endpoint }
}
