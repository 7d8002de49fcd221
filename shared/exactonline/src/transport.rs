//! One HTTP call: timed, bounded, and told apart by whether it may have changed something over there.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, header::HeaderMap, redirect};

use crate::{Error, Settings};

/// What a call does over there, which decides what a missing answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// It changes a record.
    Write,
}

/// Whatever came back, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The HTTP client with its limits.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    pub(crate) client: Client,
    body_bytes_max: usize,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let client = Client::builder()
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .redirect(redirect::Policy::none())
            .build()
            .map_err(Error::Client)?;
        Ok(Self { client, body_bytes_max: settings.body_bytes_max })
    }

    /// Sends a request once. Errors never hold the request's address, because a filter has values in it.
    pub(crate) async fn send(&self, effect: Effect, request: RequestBuilder) -> Result<Answer, Error> {
        let response = request.send().await.map_err(|error| lost(effect, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        match self.body(effect, response).await {
            Ok(body) => Ok(Answer { status, headers, body }),
            // A refusal is one even if its words were lost on the way.
            Err(_) if !status.is_success() => Ok(Answer { status, headers, body: String::new() }),
            Err(error @ Error::TooLarge { .. }) if effect == Effect::Write => {
                Err(Error::WriteUnreadable(Box::new(error)))
            }
            Err(error) => Err(error),
        }
    }

    async fn body(&self, effect: Effect, mut response: Response) -> Result<String, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(effect, error))? {
            if bytes.len() + chunk.len() > self.body_bytes_max {
                return Err(Error::TooLarge { bytes_max: self.body_bytes_max });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

/// What it means that no answer came.
fn lost(effect: Effect, error: reqwest::Error) -> Error {
    let error = error.without_url();
    match effect {
        // Nothing left this machine.
        _ if error.is_connect() || error.is_builder() => Error::Unreachable(error),
        Effect::Read => Error::ReadLost(error),
        Effect::Write => Error::WriteLost(error),
    }
}
