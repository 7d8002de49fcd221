//! The servers that a service of its own process works on.

use std::sync::Arc;

use broker::RabbitMq;
use store::Redis;

use crate::{BrokerConfig, Context, ServiceError, StoreConfig, watch_durability};

/// RabbitMQ and Redis as configured; nothing is waited for. `service` names the connection at the broker. From now on
/// Redis is [looked at](watch_durability).
pub fn servers(service: &str, context: &Context) -> Result<(RabbitMq, Redis), ServiceError> {
    let (BrokerConfig::RabbitMq { url: amqp, .. }, StoreConfig::Redis(redis)) =
        (&context.config.broker, &context.config.store)
    else {
        return Err(ServiceError::NoServers { service: service.to_owned() });
    };
    let broker = RabbitMq::new(amqp, service).map_err(ServiceError::Broker)?;
    let store = redis.open().map_err(ServiceError::Store)?.measured(Arc::clone(&context.metrics));
    watch_durability(store.clone(), context);
    Ok((broker, store))
}
