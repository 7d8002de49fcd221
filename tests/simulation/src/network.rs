//! Between the services and the two systems: calls that take their time, fail and get lost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ambient::{Process, run_as};
use axum::body::{Body, to_bytes};
use axum::http::header::HOST;
use axum::http::{Request, Response};
use futures_util::future::BoxFuture;
use reqwest::Client;
use wire::{Carry, Failure};

use crate::faults::{Fault, Faults, takes};
use crate::{Mistake, Trace};

/// How long a call takes each way while all is well.
const HOP: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(60));
/// How long a slow call may take.
const SLOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(40));
/// More than any answer holds.
const BODY_BYTES: usize = 64 * 1024 * 1024;

/// A system that can be called.
#[derive(Clone)]
pub(crate) enum System {
    CustomCrm(simulator_customcrm::InProcess),
    ExactOnline(simulator_exactonline::InProcess),
}

/// The network. Clones share it.
#[derive(Clone)]
pub(crate) struct Network {
    systems: Arc<Mutex<BTreeMap<String, System>>>,
    faults: Faults,
    trace: Trace,
    calls: Arc<AtomicU64>,
}

/// What a call met on its way.
struct Lost(&'static str);

/// One client makes the requests of all simulations: it is costly to make, and is never asked to send any.
pub(crate) fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(Client::new).clone()
}

impl Network {
    pub(crate) fn new(faults: Faults, trace: Trace) -> Self {
        Self { systems: Arc::default(), faults, trace, calls: Arc::default() }
    }

    /// Whatever is called by this host's name goes there.
    pub(crate) fn join(&self, host: &str, system: System) {
        self.systems.lock().unwrap().insert(host.to_owned(), system);
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn carried(self, call: reqwest::Request) -> Result<reqwest::Response, Failure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let what = told(&call);
        // A refresh token serves once: where its answer is lost, only a new consent helps, and no software.
        let spends = call.url().path().ends_with("/oauth2/token");
        let may = |fault: Fault| !spends && self.faults.strikes(fault);
        let (least, most) = if may(Fault::CallSlow) { SLOW } else { HOP };
        takes(least, most).await;
        if self.faults.strikes(Fault::Unreachable) {
            self.trace.tell(format!("{what}: unreachable"));
            return Err(Failure::Unreachable(Box::from("no route")));
        }
        if may(Fault::CallLost) {
            self.trace.tell(format!("{what}: lost on the way there"));
            return Err(Failure::Lost(Box::from("lost on the way there")));
        }
        match self.answered(call).await {
            Ok(response) => {
                self.trace.tell(format!("{what}: {}", response.status().as_u16()));
                takes(HOP.0, HOP.1).await;
                if may(Fault::AnswerLost) {
                    self.trace.tell(format!("{what}: its answer is lost"));
                    return Err(Failure::Lost(Box::from("lost on the way back")));
                }
                Ok(response)
            }
            Err(Lost(why)) => {
                self.trace.tell(format!("{what}: {why}"));
                Err(Failure::Lost(Box::from(why)))
            }
        }
    }

    async fn answered(&self, call: reqwest::Request) -> Result<reqwest::Response, Lost> {
        let host = call.url().host_str().unwrap_or_default().to_owned();
        let system = self.systems.lock().unwrap().get(&host).cloned().ok_or(Lost("no such host"))?;
        let mut request = request(&call, &host);
        self.mistaken(&mut request);
        // A system has a clock of its own, whatever that of the caller shows.
        let response = run_as(Process::default(), async {
            match system {
                System::CustomCrm(crm) => {
                    self.meet(&crm);
                    crm.call(request).await
                }
                System::ExactOnline(exact) => {
                    self.meet_exact(&exact);
                    exact.call(request).await
                }
            }
        })
        .await;
        let (parts, body) = response.ok_or(Lost("cut off"))?.into_parts();
        let body = to_bytes(body, BODY_BYTES).await.map_err(|_| Lost("its body broke off"))?;
        Ok(reqwest::Response::from(Response::from_parts(parts, body)))
    }

    /// The call as services make it that make a mistake.
    fn mistaken(&self, request: &mut Request<Body>) {
        let makes = |mistake| self.faults.makes(mistake);
        if makes(Mistake::IgnoreVersions) {
            request.headers_mut().remove("if-match");
        }
        let target = request.uri().to_string();
        let mistaken = if makes(Mistake::ForgetDeletions) {
            asking_for_none_deleted(&target)
        } else if makes(Mistake::SearchBlindly) {
            searching_for_nobody(&target)
        } else {
            None
        };
        if let Some(mistaken) = mistaken {
            *request.uri_mut() = mistaken.parse().unwrap();
        }
    }

    /// Faults of the CRM itself, which hit its next call.
    fn meet(&self, crm: &simulator_customcrm::InProcess) {
        use simulator_customcrm::{Effect, Fault as Of};
        let odd = if ambient::fraction() < 0.5 { Effect::RepeatPage } else { Effect::ReversePage };
        for (fault, effect) in [
            (Fault::ServerError, Effect::FailBefore(503)),
            (Fault::Throttled, Effect::Throttle(7)),
            (Fault::PageOdd, odd),
        ] {
            if self.faults.strikes(fault) {
                crm.control.add_fault(Of::next(effect));
            }
        }
    }

    /// The same of Exact.
    fn meet_exact(&self, exact: &simulator_exactonline::InProcess) {
        use simulator_exactonline::{Fault as Of, FaultKind};
        for (fault, kind) in [
            (Fault::ServerError, FaultKind::FailBefore { status: 503 }),
            (Fault::Throttled, FaultKind::Throttle),
        ] {
            if self.faults.strikes(fault) {
                exact.control().add_fault(Of::next(kind));
            }
        }
    }
}

impl Carry for Network {
    fn carry(&self, call: reqwest::Request) -> BoxFuture<'static, Result<reqwest::Response, Failure>> {
        Box::pin(self.clone().carried(call))
    }

    fn client(&self) -> Client {
        client()
    }
}

/// The call as it is made where nobody asks what was deleted.
fn asking_for_none_deleted(target: &str) -> Option<String> {
    if target.contains("/sync/Deleted?") {
        let (path, _) = target.split_once('?')?;
        return Some(format!(
            "{path}?$filter=Timestamp%20gt%20{}L&$select=EntityKey,EntityType,Timestamp,DeletedBy",
            i64::MAX
        ));
    }
    target.contains("include_deleted=true&").then(|| target.replace("include_deleted=true&", ""))
}

/// A search by a key as it finds nothing.
fn searching_for_nobody(target: &str) -> Option<String> {
    let (before, after) = if target.contains("filter%5B") {
        target.split_at(target.rfind("&limit=")?)
    } else if target.contains("Creator") {
        target.split_at(target.rfind("%27")?)
    } else {
        return None;
    };
    Some(format!("{before}nobody{after}"))
}

/// A call as the trace tells it: what it asks for, and what it writes.
fn told(call: &reqwest::Request) -> String {
    let host = call.url().host_str().unwrap_or("?");
    let body = call.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let space = if body.is_empty() { "" } else { " " };
    format!("{} {host}{}{space}{}", call.method(), target(call), String::from_utf8_lossy(body))
}

fn target(call: &reqwest::Request) -> String {
    let url = call.url();
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn request(call: &reqwest::Request, host: &str) -> Request<Body> {
    let bytes = call.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec();
    let mut request = Request::new(Body::from(bytes));
    *request.method_mut() = call.method().clone();
    *request.uri_mut() = target(call).parse().unwrap();
    *request.headers_mut() = call.headers().clone();
    request.headers_mut().insert(HOST, host.parse().unwrap());
    request
}
