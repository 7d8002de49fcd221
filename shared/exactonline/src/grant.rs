//! The OAuth grant: one refresher for all replicas, and a refresh token that is never in one place only.
//!
//! Facts of this API that shape what follows: a refresh token is single use, a second use kills the grant until a
//! person consents anew; a refresh is accepted from 570 s after the token before it, which ends at 600 s.
//!
//! The newest grant counts, wherever it is found: so a consent is taken up by every process that runs, even by one whose
//! store the consent could not reach.

mod endpoint;
mod file;
mod tokens;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use store::{Applied, Batch, Change, Key, Leased, Store};
use tokio::time::sleep;

use self::endpoint::{NotNow, TokenEndpoint};
use self::file::GrantFile;
use self::tokens::Tokens;
use wire::Wire;

use crate::{Code, Error, Settings, quota::Quota, settings::Clock};

/// Longer than a refresh can take, its storing included.
const LEASE: Duration = Duration::from_mins(2);
/// How often another replica's refresh is looked at, and how many times.
const POLL: Duration = Duration::from_millis(200);
const POLLS: u32 = 175;
/// How many times when it is a person who waits: until the lease of a process that died has run out.
const POLLS_OF_CONSENT: u32 = 650;
/// How often a fresh grant is offered to the store before it is left to the file alone.
const STORE_TRIES: u32 = 5;

type Lost = HashMap<String, String>;

/// The grant of one connection. Clones share it.
#[derive(Clone)]
pub(crate) struct Grant<S> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    store: S,
    settings: Settings,
    endpoint: TokenEndpoint<S>,
    file: GrantFile,
    key: Key,
    holder: String,
    clock: Clock,
    cached: Mutex<Option<Tokens>>,
    /// What was said of the refresh tokens that were refused for good. Also the gate: one renewal at a time in this
    /// process.
    lost: tokio::sync::Mutex<Lost>,
}

impl<S: Store> Grant<S> {
    pub(crate) fn new(settings: &Settings, store: S, quota: Quota<S>, wire: Wire, clock: Clock) -> Self {
        let key = Key::of(&settings.namespace, settings.connection.as_str(), &["exactonline", "grant"]);
        let endpoint = TokenEndpoint::new(settings, quota, wire, Arc::clone(&clock));
        let inner = Inner {
            store,
            settings: settings.clone(),
            endpoint,
            file: GrantFile::new(settings.grant_file.clone(), settings.consent_command.clone()),
            key,
            holder: ambient::new_random_id().to_string(),
            clock,
            cached: Mutex::new(None),
            lost: tokio::sync::Mutex::new(Lost::new()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// An access token that can be used now.
    pub(crate) async fn access_token(&self) -> Result<String, Error> {
        self.other_than(None).await
    }

    /// An access token in place of one that was answered with 401.
    pub(crate) async fn in_place_of(&self, refused: &str) -> Result<String, Error> {
        self.other_than(Some(refused)).await
    }

    /// Takes a consent for the grant: exchanges its code, and puts the tokens in both places.
    pub(crate) async fn begin(&self, code: &Code, redirect_uri: &str) -> Result<(), Error> {
        let (inner, code) = (Arc::clone(&self.inner), code.0.clone());
        let redirect_uri = redirect_uri.to_owned();
        on_its_own(async move { inner.begin(code.expose_secret(), &redirect_uri).await }).await
    }

    /// How long ago it was refreshed, as far as this process knows.
    pub(crate) fn age(&self) -> Option<Duration> {
        let cached = self.inner.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let age = (self.inner.clock)().duration_since(cached.as_ref()?.obtained_at?);
        Some(Duration::try_from(age).unwrap_or_default())
    }

    async fn other_than(&self, refused: Option<&str>) -> Result<String, Error> {
        if let Some(token) = self.inner.cached(refused) {
            return Ok(token);
        }
        let (inner, refused) = (Arc::clone(&self.inner), refused.map(str::to_owned));
        on_its_own(async move { inner.renew(refused.as_deref()).await }).await
    }
}

/// So that a caller who gives up cannot drop a new refresh token between its arrival and its storing.
async fn on_its_own<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::spawn(ambient::carried(work)).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::Ended),
    }
}

impl<S: Store> Inner<S> {
    fn cached(&self, refused: Option<&str>) -> Option<String> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref()?.fresh((self.clock)(), refused)
    }

    fn cache(&self, tokens: &Tokens) {
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens.clone());
    }

    async fn renew(&self, refused: Option<&str>) -> Result<String, Error> {
        let mut lost = self.lost.lock().await;
        // Another call of this process may have renewed it in the meantime.
        if let Some(token) = self.cached(refused) {
            return Ok(token);
        }
        for _ in 0..POLLS {
            if self.is_leased().await? {
                let renewed = self.renew_alone(&mut lost, refused).await;
                self.release().await;
                return renewed;
            }
            let now = (self.clock)();
            if let Some(tokens) = self.stored().await?
                && let Some(token) = tokens.fresh(now, refused).or_else(|| tokens.alive(now, refused))
            {
                self.cache(&tokens);
                return Ok(token);
            }
            sleep(POLL).await;
        }
        Err(Error::GrantBusy)
    }

    async fn begin(&self, code: &str, redirect_uri: &str) -> Result<(), Error> {
        let _gate = self.lost.lock().await;
        for _ in 0..POLLS_OF_CONSENT {
            if self.is_leased().await? {
                let begun = self.begin_alone(code, redirect_uri).await;
                self.release().await;
                return begun;
            }
            sleep(POLL).await;
        }
        Err(Error::GrantBusy)
    }

    /// Begins a grant under the lease. It is newer than any that is known, whatever the clocks of replicas say.
    async fn begin_alone(&self, code: &str, redirect_uri: &str) -> Result<(), Error> {
        // A file that can't be read has nothing to say; if it can't be written either, that is told below.
        let known = [self.stored().await?, self.file.read().await.unwrap_or_default()];
        let mut tokens = self.endpoint.exchange(code, redirect_uri).await?;
        let after = |known: Tokens| known.obtained_at?.checked_add(SignedDuration::from_millis(1)).ok();
        tokens.obtained_at = known.into_iter().flatten().filter_map(after).chain(tokens.obtained_at).max();
        self.keep(&tokens, true, true).await?;
        tracing::info!(connection = %self.settings.connection, "grant of exact online begun");
        self.cache(&tokens);
        Ok(())
    }

    async fn is_leased(&self) -> Result<bool, Error> {
        let leased = self.store.lease(&self.key, &self.holder, LEASE).await.map_err(Error::Store)?;
        Ok(leased != Leased::Taken)
    }

    async fn release(&self) {
        if let Err(error) = self.store.release(&self.key, &self.holder).await {
            tracing::warn!(%error, "the lease on the grant ends by itself");
        }
    }

    /// Renews under the lease: everything is read again first.
    async fn renew_alone(&self, lost: &mut Lost, refused: Option<&str>) -> Result<String, Error> {
        let (stored, filed) = (self.stored().await?, self.file.read().await?);
        let known = worth_trying(stored.as_ref(), filed.as_ref());
        let now = (self.clock)();
        if let Some((tokens, token)) =
            known.iter().find_map(|tokens| Some((*tokens, tokens.fresh(now, refused)?)))
        {
            self.keep(tokens, stored.as_ref() != Some(tokens), filed.as_ref() != Some(tokens)).await?;
            self.cache(tokens);
            return Ok(token);
        }
        let mut words = None;
        let mut is_refused = false;
        for tokens in known {
            if let Some(said) = lost.get(&tokens.refresh_token) {
                words = Some(said.clone());
                continue;
            }
            if tokens.fresh(now, None).is_some() {
                // It should be accepted and is not; before its time a refresh would be refused too.
                is_refused = true;
                continue;
            }
            match self.endpoint.refresh(tokens).await {
                Ok((renewed, token)) => {
                    self.keep(&renewed, true, true).await?;
                    tracing::info!(connection = %self.settings.connection, "grant of exact online refreshed");
                    self.cache(&renewed);
                    return Ok(token);
                }
                Err(NotNow::Lost(said)) => {
                    lost.insert(tokens.refresh_token.clone(), said.clone());
                    words = Some(said);
                }
                // The token of before may still live.
                Err(NotNow::Later(error)) => return tokens.alive(now, refused).ok_or(error),
            }
        }
        let (connection, command) = (self.settings.connection.clone(), self.settings.consent_command.clone());
        Err(match words {
            _ if is_refused => Error::Unauthorised { connection, command },
            Some(words) => Error::GrantLost { connection, words, command },
            None => Error::NoGrant { connection, command },
        })
    }

    /// Puts a grant where it is to be; both places are tried even if one fails. No fencing: a new refresh token is
    /// the only one that is valid, so it is kept even if the lease has run out in the meantime.
    async fn keep(&self, tokens: &Tokens, in_store: bool, in_file: bool) -> Result<(), Error> {
        let filed = if in_file { self.file.write(tokens).await } else { Ok(()) };
        let stored = if in_store { self.set(tokens).await } else { Ok(()) };
        filed.and(stored)
    }

    async fn set(&self, tokens: &Tokens) -> Result<(), Error> {
        let mut tries = 0;
        loop {
            let change = Change::Set { key: self.key.clone(), value: tokens.to_json() };
            match self.store.apply(Batch::new().then(change)).await {
                Ok(Applied::Done { .. }) => return Ok(()),
                Ok(Applied::Refused(_)) => unreachable!("the batch checks nothing"),
                Err(error) if error.is_transient() && tries < STORE_TRIES => sleep(POLL).await,
                Err(error) => return Err(Error::Store(error)),
            }
            tries += 1;
        }
    }

    /// The grant in the store. What can't be read there is as good as absent: the file has it.
    async fn stored(&self) -> Result<Option<Tokens>, Error> {
        let entry = self.store.get(&self.key).await.map_err(Error::Store)?;
        Ok(entry.and_then(|entry| Tokens::from_json(&entry.value)))
    }
}

/// The newest grant, and then one that a person put into the file without a date. An older one is never tried: it was
/// spent for the newer, and what a second use does to the grant nobody documents.
fn worth_trying<'a>(stored: Option<&'a Tokens>, filed: Option<&'a Tokens>) -> Vec<&'a Tokens> {
    let both = || stored.into_iter().chain(filed);
    let newest = both().filter(|tokens| tokens.obtained_at.is_some()).max_by_key(|tokens| tokens.obtained_at);
    newest.into_iter().chain(both().filter(|tokens| tokens.obtained_at.is_none())).collect()
}
