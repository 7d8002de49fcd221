//! A simulator without ports, for callers in the same process.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use reqwest::Client;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::connection::Breaker;
use crate::control::Control;
use crate::error::SimulatorError;
use crate::server;
use crate::service::Service;
use crate::settings::Settings;

/// A simulator that is called in the same process: no socket, no task, no notification of changes.
#[derive(Debug, Clone)]
pub struct InProcess {
    /// A refresh token of a fresh consent; single use, as all of them.
    pub refresh_token: String,
    /// The user whose id the app's writes carry.
    pub api_user_id: Uuid,
    /// The person who edits by hand.
    pub human_id: Uuid,
    control: Control,
    router: Router,
}

impl InProcess {
    /// A division as the settings say; their ports are not listened on. `caller` would try out callbacks of
    /// subscriptions.
    ///
    /// # Errors
    /// When no person is named.
    pub fn new(settings: &Settings, caller: Client) -> Result<Self, SimulatorError> {
        let human_id = settings.humans.first().ok_or(SimulatorError::NoHumans)?.id;
        let control = Control::new(Service::new(settings));
        Ok(Self {
            refresh_token: control.grant(),
            api_user_id: settings.api_user.id,
            human_id,
            router: server::router(control.clone(), caller),
            control,
        })
    }

    /// A handle for what a test does beside the API.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Makes a call; `None` where its answer is lost on the way.
    pub async fn call(&self, mut request: Request<Body>) -> Option<Response<Body>> {
        let breaker = Breaker::default();
        request.extensions_mut().insert(ConnectInfo(breaker.clone()));
        let Ok(response) = self.router.clone().oneshot(request).await;
        (!breaker.is_broken()).then_some(response)
    }
}
