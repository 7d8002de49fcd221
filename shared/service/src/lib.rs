//! What every service shares: arguments to exit code, configuration, supervision, health, shutdown.
