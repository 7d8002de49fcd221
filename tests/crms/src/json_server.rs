use std::collections::BTreeMap;

use serde_json::{Value, json};
use servers::package::{self, Missing};
use servers::{Binary, Folder, Process};

use crate::crm::Kind;
use crate::http::Http;
use crate::started::started;
use crate::{COLLECTIONS, Crm, PEOPLE, first_records};

/// The last version of the line that has page numbers of `_page` and `_limit`.
const VERSION: &str = "0.17.4";

/// A json-server: a file of collections behind REST, which asks for no secret and keeps no versions and no times.
///
/// It ends and its data goes when this is dropped.
#[derive(Debug)]
pub struct JsonServer {
    /// A person's hands in it.
    pub crm: Crm,
    process: Process,
}

impl JsonServer {
    /// Starts one that holds [`first_records`] and [`PEOPLE`], and waits until it answers.
    pub async fn start() -> Result<Self, Missing> {
        let package = package::npm("json-server", VERSION).await?;
        let node = Binary::at(package::program("node")?).unwrap();
        let program = package.join("lib/cli/bin.js");
        let start = |port: u16| {
            let folder = Folder::new("json-server")?;
            let data = folder.write("data.json", &first_data().to_string())?;
            let port = port.to_string();
            let options = ["--host", "127.0.0.1", "--port", &port].map(Into::into);
            let arguments =
                [program.clone().into_os_string()].into_iter().chain(options).chain([data.into_os_string()]);
            Process::spawn_in(folder, &node, arguments, [("NODE_ENV", "production")])
        };
        let (process, address) = started(start, "/users").await;
        let crm = Crm::new(Http::new(&address, None), Kind::JsonServer);
        Ok(Self { crm, process })
    }

    /// The process that serves.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// The file that it reads at its start and writes at each change.
fn first_data() -> Value {
    let mut data: BTreeMap<&str, Vec<Value>> = COLLECTIONS.iter().map(|name| (*name, Vec::new())).collect();
    let people = PEOPLE.iter().map(|(id, name, email)| {
        ("users", json!({ "id": id, "FullName": name, "Email": email, "IsActive": true }))
    });
    for (collection, record) in first_records().into_iter().chain(people) {
        data.entry(collection).or_default().push(record);
    }
    json!(data)
}
