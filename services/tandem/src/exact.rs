//! Exact Online as the program itself calls it, beside the services.

use exactonline::{Limits, Settings};
use model::ConnectionName;
use service::{Config, ExactOnlineConfig};

/// The settings of a connection, as its services have them.
pub(crate) fn settings(config: &Config, connection: &ConnectionName, side: &ExactOnlineConfig) -> Settings {
    let limits = Limits {
        per_minute: side.calls_per_minute.get(),
        per_day: side.calls_per_day.get(),
        ..Limits::default()
    };
    Settings {
        limits,
        consent_command: side.consent_command.clone(),
        ..Settings::new(
            side.url.clone(),
            side.division.get(),
            connection.clone(),
            &config.namespace,
            (&side.client_id, side.client_secret.clone()),
            side.grant_file.clone(),
        )
    }
}
