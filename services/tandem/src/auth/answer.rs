//! Where the answer comes from: a person pastes it, or Exact's redirect comes in at a port of ours.

use std::future::pending;
use std::io::{self, BufRead as _, Read as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use exactonline::{Code, Consent, ConsentError};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::AuthError;

/// How long an answer is waited for.
pub(super) const WAITS: Duration = Duration::from_mins(30);
/// How long the browser may take to read what it is told.
const GRACE: Duration = Duration::from_secs(2);
/// No address is longer.
const PASTED_BYTES_MAX: u64 = 64 * 1024;

const TAKEN: &str = "Tandem has your answer. You can close this page: the terminal says what became of it.\n";
const NOT_OURS: &str =
    "This is not the answer to what Tandem asked last. Open the address that its terminal shows.\n";

/// Both places, for one question.
pub(super) struct Answers {
    consent: Arc<Consent>,
    /// The port and the path behind it.
    redirect: Option<(TcpListener, String)>,
}

type Answer = Result<Code, ConsentError>;

struct Redirect {
    consent: Arc<Consent>,
    path: String,
    answers: mpsc::Sender<Answer>,
}

impl Answers {
    /// Opens the port, if one is configured: before anybody is asked.
    pub(super) async fn new(
        consent: Consent,
        redirect_uri: &str,
        listen: Option<SocketAddr>,
    ) -> Result<Self, AuthError> {
        let redirect = match listen {
            None => None,
            Some(listen) => {
                let refused = |source| AuthError::Listen { listen, source };
                let path = Url::parse(redirect_uri).map(|url| url.path().to_owned());
                let path = path.expect("the configuration takes nothing but addresses");
                Some((TcpListener::bind(listen).await.map_err(refused)?, path))
            }
        };
        Ok(Self { consent: Arc::new(consent), redirect })
    }

    /// What the person opens.
    pub(super) fn question(&self) -> &Url {
        self.consent.url()
    }

    /// Where the redirect is waited for.
    pub(super) fn listens(&self) -> Option<SocketAddr> {
        self.redirect.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// The code of whichever answer comes first.
    pub(super) async fn code(self) -> Result<Code, AuthError> {
        let (answers, mut redirected) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let is_awaited = self.redirect.is_some();
        let server = self.redirect.map(|(listener, path)| {
            let redirect = Redirect { consent: Arc::clone(&self.consent), path, answers };
            let routes = Router::new().fallback(taken_in).with_state(Arc::new(redirect));
            let served = axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
            tokio::spawn(served.into_future())
        });
        let line = pasted()?;
        let pasted = async {
            match line.await {
                Ok(Ok(line)) if !line.trim().is_empty() => Ok(self.consent.pasted(&line)?),
                Ok(Err(error)) => Err(AuthError::Process(error)),
                // Nobody is at the terminal, and the redirect comes by itself.
                _ if is_awaited => pending().await,
                _ => Err(AuthError::NothingPasted),
            }
        };
        let code = tokio::select! {
            Some(answer) = redirected.recv() => answer.map_err(AuthError::from),
            code = pasted => code,
            () = sleep(WAITS) => Err(AuthError::NoAnswer),
        };
        stop.cancel();
        if let Some(server) = server {
            // Whatever is still open ends with the process.
            let _ = timeout(GRACE, server).await;
        }
        code
    }
}

/// A line of standard input. A thread of its own, because nothing ends a read that waits but the process.
fn pasted() -> Result<oneshot::Receiver<io::Result<String>>, AuthError> {
    let (reader, line) = oneshot::channel();
    let read = move || {
        let mut text = String::new();
        let read = io::stdin().lock().take(PASTED_BYTES_MAX).read_line(&mut text);
        // Nobody waits for it any more when the redirect was faster.
        let _ = reader.send(read.map(|_| text));
    };
    thread::Builder::new().name("terminal".to_owned()).spawn(read).map_err(AuthError::Process)?;
    Ok(line)
}

/// What anybody may send to the port. Only the answer to our question ends the wait.
async fn taken_in(State(redirect): State<Arc<Redirect>>, request: Request) -> (StatusCode, &'static str) {
    if request.uri().path() != redirect.path {
        return (StatusCode::NOT_FOUND, "");
    }
    if request.method() != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, "");
    }
    match redirect.consent.redirected(request.uri().query().unwrap_or_default()) {
        Err(ConsentError::OtherState | ConsentError::NoAnswer) => (StatusCode::BAD_REQUEST, NOT_OURS),
        answer => {
            // A second one is that of a page which was loaded again.
            let _ = redirect.answers.try_send(answer);
            (StatusCode::OK, TAKEN)
        }
    }
}
