//! The promises of the client, against a strict simulator of the service.
#![allow(clippy::unwrap_used)]

mod consent;
mod documents;
mod grant;
mod limits;
mod lists;
mod numberings;
mod observed;
mod records;
mod replicas;

use std::{path::PathBuf, time::Duration};

use contract::json::read_properties;
use model::{ConnectionName, Properties};
use simulator_exactonline::{Running, Simulator};
use store::Embedded;
use tempfile::TempDir;

use crate::{ExactOnline, Resource, Settings};

const ACCOUNTS: Resource<'static> = Resource::authored("crm/Accounts", "ID");

/// A simulator, a store that has its clock, and a folder with a grant of a fresh consent.
struct Company {
    running: Running,
    store: Embedded,
    folder: TempDir,
}

impl Company {
    /// With a clock that stands still, so that no minute ends by itself.
    async fn start() -> Self {
        Self::start_with(simulator_exactonline::Settings {
            start_at: Some("2026-11-22T10:00:20Z".parse().unwrap()),
            frozen_clock: true,
            ..Default::default()
        })
        .await
    }

    async fn start_with(settings: simulator_exactonline::Settings) -> Self {
        let running = Simulator::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let company = Self { store: empty_store(&running), running, folder };
        let seed = format!(r#"{{"refresh_token":"{}"}}"#, company.running.refresh_token);
        std::fs::write(company.grant_file(), seed).unwrap();
        company
    }

    fn grant_file(&self) -> PathBuf {
        self.folder.path().join("grant.json")
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new(
            self.running.base_url.parse().unwrap(),
            u32::try_from(self.running.division).unwrap(),
            ConnectionName::parse("acme").unwrap(),
            "test",
            (&self.running.client_id, self.running.client_secret.clone().into()),
            self.grant_file(),
        );
        settings.wait_max = Duration::ZERO;
        settings
    }

    fn client(&self) -> ExactOnline<Embedded> {
        self.client_with(self.settings())
    }

    fn client_with(&self, settings: Settings) -> ExactOnline<Embedded> {
        let control = self.running.control();
        ExactOnline::with_clock(settings, self.store.clone(), move || control.now()).unwrap()
    }

    /// As if the store had been lost with everything in it.
    fn empty_store(&mut self) {
        self.store = empty_store(&self.running);
    }

    fn calls(&self, endpoint: &str) -> usize {
        self.running.control().counts().by_endpoint.get(endpoint).copied().unwrap_or_default()
    }

    fn statuses(&self, status: u16) -> usize {
        self.running.control().counts().by_status.get(&status).copied().unwrap_or_default()
    }
}

fn empty_store(running: &Running) -> Embedded {
    let control = running.control();
    Embedded::in_memory().unwrap().with_clock(move || control.now())
}

fn properties(json: &str) -> Properties {
    read_properties(json).unwrap()
}
