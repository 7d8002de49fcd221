//! A simulator without ports, for callers in the same process.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use tower::ServiceExt as _;

use crate::api;
use crate::control::Control;
use crate::error::SimulatorError;
use crate::settings::Settings;
use crate::simulator::{Users, begun};
use crate::state::World;
use crate::webhooks::Outbox;
use crate::wire::Wire;

/// A simulator that is called in the same process: no socket, no task, no notification of changes.
#[derive(Debug, Clone)]
pub struct InProcess {
    /// Who calls.
    pub users: Users,
    /// What the control API does, without HTTP.
    pub control: Control,
    router: Router,
}

impl InProcess {
    /// A CRM with two users: the API user and a person.
    pub fn new(settings: Settings) -> Result<Self, SimulatorError> {
        let (outbox, _) = Outbox::new();
        let (state, users) = begun(settings, outbox)?;
        let world = Arc::new(World::new(state));
        let control = Control::new(world.clone());
        Ok(Self { users, control, router: api::router(world) })
    }

    /// Makes a call; `None` where its answer is lost on the way.
    pub async fn call(&self, mut request: Request<Body>) -> Option<Response<Body>> {
        let wire = Wire::default();
        request.extensions_mut().insert(ConnectInfo(wire.clone()));
        let Ok(response) = self.router.clone().oneshot(request).await;
        (!wire.is_cut()).then_some(response)
    }
}
