//! An exporter that remembers what became of the last batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Whether the last batch that was sent was lost. A batch that goes out by itself tells nobody but the log, and whoever
/// shuts down when nothing is left to be sent would hear that all is well.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastLost(Arc<AtomicBool>);

impl LastLost {
    pub(crate) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sends through another exporter, and remembers whether that went well.
#[derive(Debug)]
pub(crate) struct Remembering<E> {
    pub(crate) exporter: E,
    pub(crate) last_lost: LastLost,
}

impl<E: SpanExporter> SpanExporter for Remembering<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.exporter.export(batch).await;
        self.last_lost.0.store(exported.is_err(), Ordering::Relaxed);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
