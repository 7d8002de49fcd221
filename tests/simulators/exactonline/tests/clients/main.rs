//! Client libraries that others wrote for Exact Online, against the simulator: what they take for granted of the
//! service is so, and what they get wrong is refused as the service refuses it.
//!
//! Each comes from the Python Package Index into an environment that goes with the test, in the version that is named
//! here. Where the index can't be reached, or Python makes no environments, the test says that it is skipped.
#![allow(clippy::unwrap_used, missing_docs)]

mod python;

use std::io::Write as _;

use serde_json::{Value, json};
use simulator_exactonline::{Control, Running, Settings, Simulator, Switches};

use crate::python::Python;

const REDIRECT_URI: &str = "https://app.example/back";

/// A company with more customers than two pages hold, and an item.
struct Company {
    running: Running,
    told: Value,
}

impl Company {
    async fn open(switches: Switches) -> Self {
        let running = Simulator::start(Settings { switches, ..Settings::default() }).await.unwrap();
        let control = running.control();
        let names: Vec<String> = (0..130).map(|number| format!("Account {number:03}")).collect();
        let cities = ["Delft", "Leiden"].into_iter().cycle();
        let bodies: Vec<String> = names
            .iter()
            .zip(cities)
            .map(|(name, city)| json!({"Name": name, "City": city, "Status": "C"}).to_string())
            .collect();
        let customers = control.seed_accounts(&bodies).unwrap();
        let item = json!({"Code": "bolt", "Description": "A bolt", "IsSalesItem": true}).to_string();
        let item = control.create("logistics/Items", &item, running.human_id).unwrap();
        let told = json!({
            "base_url": running.base_url,
            "control_url": running.control_url,
            "division": running.division,
            "client_id": running.client_id,
            "client_secret": running.client_secret,
            "names": names,
            "customer": customers[0],
            "item": item,
        });
        Self { running, told }
    }

    fn control(&self) -> Control {
        self.running.control()
    }

    /// The statuses of the token endpoint's answers.
    fn token_calls(&self) -> Vec<u16> {
        let log = self.control().log();
        log.iter().filter(|call| call.path == "/api/oauth2/token").map(|call| call.status).collect()
    }

    /// The calls that ended with this status, by method and path.
    fn with_status(&self, status: u16) -> Vec<String> {
        let log = self.control().log();
        let named = log.iter().filter(|call| call.status == status).map(|call| {
            let path = call.path.split(['?', '(']).next().unwrap();
            format!("{} {}", call.method, path.rsplit('/').next().unwrap())
        });
        named.collect()
    }

    /// What became of the account that each script makes, and that nothing else did.
    fn assert_account(&self) {
        let accounts: Vec<Value> =
            serde_json::from_str(&self.control().records("crm/Accounts").unwrap()).unwrap();
        assert_eq!(accounts.len(), 131);
        let made: Vec<&Value> =
            accounts.iter().filter(|account| account["Name"] == "De Vries' Kaas & Co €").collect();
        assert_eq!(made.len(), 1);
        assert_eq!(made[0]["City"], "Utrecht");
        for property in ["Creator", "Modifier"] {
            assert_eq!(made[0][property], json!(self.running.api_user_id));
        }
    }
}

/// Says that a test did not take place. Not by `eprintln`, which the runner keeps for itself when a test passes.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
}

#[tokio::test]
async fn exact_online_sdk_signs_in_refreshes_pages_filters_and_writes() {
    let needed = ["httpx<1", "pydantic>=2.5,<3", "python-dotenv", "tenacity", "cryptography"];
    let python = match Python::with("exact-online-sdk==2.0.0", &needed).await {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    // It sends its credentials in no other way.
    let company = Company::open(Switches { basic_credentials: true, ..Switches::default() }).await;
    let variables = [
        ("EXACT_BASE_URL", company.running.base_url.clone()),
        ("EXACT_CLIENT_ID", company.running.client_id.clone()),
        ("EXACT_CLIENT_SECRET", company.running.client_secret.clone()),
        ("EXACT_REDIRECT_URI", REDIRECT_URI.to_owned()),
        ("EXACT_DIVISION", company.running.division.to_string()),
    ];
    python.run("use_exact_online_sdk.py", &company.told.to_string(), &variables).await;
    company.assert_account();
    // The code, a refresh too early, and one in time.
    assert_eq!(company.token_calls(), [200, 400, 200]);
    assert_eq!(company.with_status(400), ["GET Accounts", "GET Accounts", "POST token"]);
    assert_eq!(company.with_status(404), ["GET Accounts"]);
    assert_eq!(company.with_status(401), Vec::<String>::new());
}

#[tokio::test]
async fn exactonline_signs_in_refreshes_pages_filters_and_writes() {
    let python = match Python::with("exactonline==0.4.0", &[]).await {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    let company = Company::open(Switches::default()).await;
    python.run("use_exactonline.py", &company.told.to_string(), &[]).await;
    company.assert_account();
    assert_eq!(company.token_calls(), [200, 200]);
    assert_eq!(company.with_status(400), ["GET Accounts"]);
    assert_eq!(company.with_status(500), ["POST Accounts"]);
    assert_eq!([401, 404].map(|status| company.with_status(status).len()), [0, 0]);
    let quotations: Vec<Value> =
        serde_json::from_str(&company.control().records("crm/Quotations").unwrap()).unwrap();
    assert_eq!(quotations.len(), 1);
    assert_eq!(quotations[0]["OrderAccount"], company.told["customer"]);
}
