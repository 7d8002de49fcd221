//! The servers that a service of its own process works on.

use broker::RabbitMq;
use store::Redis;

use crate::{BrokerConfig, Config, ServiceError, StoreConfig};

/// RabbitMQ and Redis as configured; nothing is connected to yet. `service` names the connection at the broker.
pub fn servers(service: &str, config: &Config) -> Result<(RabbitMq, Redis), ServiceError> {
    let (BrokerConfig::RabbitMq { url: amqp, .. }, StoreConfig::Redis(redis)) =
        (&config.broker, &config.store)
    else {
        return Err(ServiceError::NoServers { service: service.to_owned() });
    };
    Ok((
        RabbitMq::new(amqp, service).map_err(ServiceError::Broker)?,
        redis.open().map_err(ServiceError::Store)?,
    ))
}
