//! Starting and stopping a simulator.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::connection::{BreakableListener, Breaker};
use crate::control::Control;
use crate::error::SimulatorError;
use crate::service::Service;
use crate::settings::Settings;
use crate::{control_server, server, webhooks};

/// How long open connections get to end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts a simulator on the current tokio runtime. It runs until [`Running::stop`] or until the runtime ends.
    ///
    /// # Errors
    /// When an address cannot be listened on, or no person is named.
    pub async fn start(settings: Settings) -> Result<Running, SimulatorError> {
        let person = settings.humans.first().cloned().ok_or(SimulatorError::NoHumans)?;
        let (listener, address) = listen(settings.listen).await?;
        let (control_listener, control_address) = listen(settings.control).await?;
        let control = Control::new(Service::new(&settings));
        let caller = webhooks::caller().map_err(SimulatorError::Caller)?;
        let refresh_token = control.grant();
        let human_token = control.human_token(person.id)?;
        let cancel = CancellationToken::new();
        let api = {
            let service = server::router(control.clone(), caller.clone())
                .into_make_service_with_connect_info::<Breaker>();
            let stopped = cancel.clone().cancelled_owned();
            tokio::spawn(async move {
                axum::serve(BreakableListener(listener), service).with_graceful_shutdown(stopped).await
            })
        };
        let steering = {
            let router = control_server::router(control.clone());
            let stopped = cancel.clone().cancelled_owned();
            tokio::spawn(async move {
                axum::serve(control_listener, router).with_graceful_shutdown(stopped).await
            })
        };
        let telling = {
            let told =
                webhooks::deliver(control.clone(), caller, format!("http://{address}"), cancel.clone());
            tokio::spawn(async move {
                told.await;
                Ok(())
            })
        };
        Ok(Running {
            base_url: format!("http://{address}"),
            control_url: format!("http://{control_address}"),
            division: settings.division,
            client_id: settings.client_id,
            client_secret: settings.client_secret,
            redirect_uri: settings.redirect_uri,
            webhook_secret: settings.webhook_secret,
            refresh_token,
            human_token,
            api_user_id: settings.api_user.id,
            human_id: person.id,
            control,
            cancel,
            tasks: vec![api, steering, telling],
        })
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let failed = |source| SimulatorError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// A simulator that runs.
#[derive(Debug)]
pub struct Running {
    /// Where the API is, without a slash at the end.
    pub base_url: String,
    /// Where the control API is, without a slash at the end.
    pub control_url: String,
    /// The company that the API user works in.
    pub division: i32,
    /// The OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The redirect address that is registered with it.
    pub redirect_uri: String,
    /// What notifications are signed with.
    pub webhook_secret: String,
    /// A refresh token of a fresh consent; single use, as all of them.
    pub refresh_token: String,
    /// A token with which the first person edits by hand.
    pub human_token: String,
    /// The user whose id the app's writes carry.
    pub api_user_id: Uuid,
    /// The user whose id edits with `human_token` carry.
    pub human_id: Uuid,
    control: Control,
    cancel: CancellationToken,
    tasks: Vec<JoinHandle<std::io::Result<()>>>,
}

impl Running {
    /// A handle for what a test does beside the API.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops listening, gives open connections two seconds to end, and frees both ports.
    pub async fn stop(self) {
        self.cancel.cancel();
        for mut task in self.tasks {
            if tokio::time::timeout(GRACE, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}
