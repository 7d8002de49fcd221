//! The message broker: a port, RabbitMQ, and an in-process broker.
