/// How the services run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosting {
    /// Each in a process of its own, on RabbitMQ and Redis.
    Processes,
    /// All in one process, on the embedded broker and a store in a file.
    OneProcess,
    /// All in one process, on RabbitMQ and Redis.
    OneProcessOnServers,
}

/// A process of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Reads CustomCRM.
    CollectorCustomCrm,
    /// Reads Exact Online.
    CollectorExactOnline,
    /// Decides.
    Mapper,
    /// Writes CustomCRM.
    WriterCustomCrm,
    /// Writes Exact Online.
    WriterExactOnline,
    /// All of them in one process.
    Tandem,
}

impl Hosting {
    /// The processes that it takes.
    pub const fn services(self) -> &'static [Service] {
        match self {
            Self::Processes => &[
                Service::CollectorCustomCrm,
                Service::CollectorExactOnline,
                Service::Mapper,
                Service::WriterCustomCrm,
                Service::WriterExactOnline,
            ],
            Self::OneProcess | Self::OneProcessOnServers => &[Service::Tandem],
        }
    }
}

impl Service {
    /// The binary's name, and the service's name in logs and traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CollectorCustomCrm => "collector-customcrm",
            Self::CollectorExactOnline => "collector-exactonline",
            Self::Mapper => "mapper",
            Self::WriterCustomCrm => "writer-customcrm",
            Self::WriterExactOnline => "writer-exactonline",
            Self::Tandem => "tandem",
        }
    }

    /// What stands on the command line before `--config`.
    pub(crate) const fn command(self) -> &'static [&'static str] {
        match self {
            Self::Tandem => &["run"],
            Self::CollectorCustomCrm
            | Self::CollectorExactOnline
            | Self::Mapper
            | Self::WriterCustomCrm
            | Self::WriterExactOnline => &[],
        }
    }
}
