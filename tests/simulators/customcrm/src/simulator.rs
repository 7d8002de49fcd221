//! Starting and stopping.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::api;
use crate::control::{self, Control, Grant, NewUser};
use crate::error::SimulatorError;
use crate::faults::Faults;
use crate::idempotency::FirstAnswers;
use crate::limits::Meter;
use crate::log::Log;
use crate::records::Records;
use crate::schema::{DEFAULT, Schema};
use crate::settings::Settings;
use crate::state::{State, World};
use crate::webhooks::Outbox;
use crate::webhooks::sending::{self, Sender};
use crate::wire::{Wire, WireListener};

/// How long calls that are under way may go on after the stop.
const GRACE: Duration = Duration::from_secs(1);

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

/// A simulator that is running. It stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where the API is, with its base path: `http://127.0.0.1:<port>/api/v1`.
    pub base_url: String,
    /// Where the control API is, with its base path: `http://127.0.0.1:<port>/control`.
    pub control_url: String,
    /// The token that the software under test calls with.
    pub api_token: String,
    /// The id of its user.
    pub api_user_id: String,
    /// The token of a person who edits in the CRM.
    pub human_token: String,
    /// The id of this person.
    pub human_user_id: String,
    /// What the control API does, without HTTP.
    pub control: Control,
    stopping: DropGuard,
    tasks: [JoinHandle<()>; 3],
}

impl Simulator {
    /// Starts a simulator with two users: the API user and a person. Must be called on a tokio runtime.
    pub async fn start(settings: Settings) -> Result<Running, SimulatorError> {
        let retries = settings.webhook_retries.clone();
        let api = listen(settings.listen).await?;
        let control = listen(settings.control).await?;
        let client = sending::client().map_err(SimulatorError::Client)?;
        let (outbox, to_be_posted) = Outbox::new();
        let (state, users) = begun(settings, outbox)?;
        let world = Arc::new(World::new(state));
        let handle = Control::new(world.clone());
        let stopping = CancellationToken::new();
        let (base_url, control_url) = (url(&api, api::BASE_PATH), url(&control, control::server::BASE_PATH));
        let sender = Sender::new(client, world.clone(), retries);
        let tasks = [
            tokio::spawn(serve_api(api, world, stopping.clone())),
            tokio::spawn(serve_control(control, handle.clone(), stopping.clone())),
            tokio::spawn(sender.run(to_be_posted, stopping.clone())),
        ];
        Ok(Running {
            base_url: base_url?,
            control_url: control_url?,
            api_token: users.api.token,
            api_user_id: users.api.user_id,
            human_token: users.human.token,
            human_user_id: users.human.user_id,
            control: handle,
            stopping: stopping.drop_guard(),
            tasks,
        })
    }
}

impl Running {
    /// Takes no more calls, lets those under way finish for up to a second, posts nothing more, and returns.
    pub async fn stop(self) {
        self.stopping.disarm().cancel();
        for mut task in self.tasks {
            if tokio::time::timeout(GRACE, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// Who calls a simulator from the beginning.
#[derive(Debug, Clone)]
pub struct Users {
    /// The software under test.
    pub api: Grant,
    /// A person who edits in the CRM.
    pub human: Grant,
}

/// A CRM that holds nothing but its first users.
pub(crate) fn begun(settings: Settings, outbox: Outbox) -> Result<(State, Users), SimulatorError> {
    let schemas = all_schemas(&settings)?;
    let mut state = empty(&schemas, &settings, outbox);
    let api = control::grant(&mut state, built_in("Integration", "integration", settings.api_token))?;
    let human = control::grant(&mut state, built_in("Robin Jansen", "robin", settings.human_token))?;
    state.seeder.clone_from(&human.user_id);
    for webhook in settings.webhooks {
        state.records.outbox.add(webhook);
    }
    Ok((state, Users { api, human }))
}

fn all_schemas(settings: &Settings) -> Result<Vec<&'static Schema>, SimulatorError> {
    let mut schemas = DEFAULT.to_vec();
    for schema in &settings.schemas {
        if schemas.iter().any(|before| before.collection == schema.collection) {
            return Err(SimulatorError::SchemaTwice { collection: schema.collection.to_owned() });
        }
        schemas.push(schema);
    }
    Ok(schemas)
}

fn empty(schemas: &[&'static Schema], settings: &Settings, outbox: Outbox) -> State {
    State {
        records: Records::new(schemas, outbox),
        tokens: HashMap::new(),
        first_answers: FirstAnswers::default(),
        meter: Meter::new(settings.limits),
        faults: Faults::default(),
        log: Log::default(),
        writes: BTreeMap::new(),
        changes: BTreeMap::new(),
        seeder: String::new(),
    }
}

fn built_in(full_name: &str, mailbox: &str, token: Option<String>) -> NewUser {
    NewUser {
        user_id: None,
        full_name: Some(full_name.to_owned()),
        email: Some(format!("{mailbox}@crm.example")),
        token,
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, SimulatorError> {
    TcpListener::bind(address).await.map_err(|source| SimulatorError::Listen { address, source })
}

fn url(listener: &TcpListener, path: &str) -> Result<String, SimulatorError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address =
        listener.local_addr().map_err(|source| SimulatorError::Listen { address: unknown, source })?;
    Ok(format!("http://{address}{path}"))
}

async fn serve_api(listener: TcpListener, world: Arc<World>, stopping: CancellationToken) {
    let service = api::router(world).into_make_service_with_connect_info::<Wire>();
    // axum's server ends with an error never: it retries a failed accept.
    let _ =
        axum::serve(WireListener(listener), service).with_graceful_shutdown(stopping.cancelled_owned()).await;
}

async fn serve_control(listener: TcpListener, control: Control, stopping: CancellationToken) {
    let _ = axum::serve(listener, control::server::router(control))
        .with_graceful_shutdown(stopping.cancelled_owned())
        .await;
}
