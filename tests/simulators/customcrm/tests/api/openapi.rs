//! The description of the API, and what it says that is said nowhere else.

use serde_json::json;
use simulator_customcrm::schema::{DEFAULT, Kind, Property, Schema};
use simulator_customcrm::{Effect, Fault, Settings, openapi};

use crate::crm::{Crm, see};

static TICKETS: Schema = Schema {
    collection: "tickets",
    entity: "ticket",
    properties: &[
        Property::new("Number", Kind::Text).required().unique(),
        Property::new("Minutes", Kind::Decimal),
        Property::new("ClosedBy", Kind::Text).read_only(),
    ],
    lines: None,
};

#[tokio::test]
async fn the_description_is_served_without_a_token() {
    let crm = Crm::start().await;
    crm.running.control.add_fault(Fault::next(Effect::FailBefore(503)));
    let url = format!("{}/openapi.json", crm.running.base_url);
    let served = see(crm.client.get(&url)).await;
    assert_eq!((served.status.as_u16(), served.header("content-type")), (200, "application/json"));
    assert_eq!(served.json(), openapi::document(&DEFAULT));
    assert_eq!(served.member("openapi"), "3.1.0");
    see(crm.client.get(format!("{url}?a=b"))).await.problem(400);
    assert_eq!(crm.running.control.faults().len(), 1);
    crm.running.control.clear_faults();
    let refused = crm.post("/openapi.json", "{}").await;
    refused.problem(405);
    assert_eq!(refused.header("allow"), "GET");
}

#[tokio::test]
async fn another_collection_is_described_as_it_is_checked() {
    let crm = Crm::start_with(Settings { schemas: vec![&TICKETS], ..Settings::default() }).await;
    let described = crm.get("/openapi.json").await.json();
    assert_eq!(described["paths"]["/tickets"]["post"]["operationId"], "createTicket");
    let new = &described["components"]["schemas"]["NewTicket"];
    assert_eq!(new["required"], json!(["Number"]));
    let names: Vec<&String> = new["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["Minutes", "Number"], "what only the CRM writes can't be sent");
    let answered = &described["components"]["schemas"]["Ticket"]["properties"];
    assert_eq!(answered["Minutes"]["type"], json!(["number", "null"]));
    assert!(answered["ClosedBy"].is_object());
    let filters: Vec<&str> = described["paths"]["/tickets"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    assert_eq!(filters, ["filter[Id]", "filter[Number]"]);
}
