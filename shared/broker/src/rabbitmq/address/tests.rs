#![allow(clippy::unwrap_used)]

use super::*;

fn parse(url: &str) -> Result<Address, BrokerError> {
    Address::parse(&SecretString::from(url), "test", OwnedTLSConfig::default())
}

#[test]
fn an_address_that_cannot_be_used_is_refused_without_telling_the_password() {
    let ill = [
        "hunter2",
        "amqp:hunter2",
        "amqp://user:hunter2@",
        "amqp://user:hunter2@:5672",
        "amqp:///hunter2",
        "http://user:hunter2@host",
        "amqp://user:hunter2@host:port",
        "amqp://user:hunter2@host:99999",
        "amqp://user:hunter2@host?heartbeat=hunter2",
        "amqp://user:hunter2%ff@host",
        "amqp://user:hunter2@ho st",
    ];
    for url in ill {
        let Err(error) = parse(url) else { panic!("{url} was taken") };
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert!(!error.is_transient());
    }
}

#[test]
fn the_parts_of_an_address_arrive_where_they_belong() {
    let read = |url: &str| {
        let uri = parse(url).unwrap().uri();
        (uri.authority.host, uri.authority.port, uri.vhost, uri.query.heartbeat)
    };
    let expected =
        |host: &str, port, vhost: &str, heartbeat| (host.to_owned(), port, vhost.to_owned(), Some(heartbeat));
    assert_eq!(read("amqp://broker"), expected("broker", 5672, "/", 10));
    assert_eq!(read("amqp://u:p@broker:1234/"), expected("broker", 1234, "/", 10));
    assert_eq!(read("amqp://u:p@127.0.0.1/%2f"), expected("127.0.0.1", 5672, "/", 10));
    assert_eq!(
        read("amqp://u:p@[2001:db8::1]:9/tandem?heartbeat=3"),
        expected("2001:db8::1", 9, "tandem", 3)
    );
}

#[test]
#[cfg(not(feature = "tls"))]
fn a_build_without_tls_says_so_at_once() {
    assert!(matches!(parse("amqps://broker").err(), Some(BrokerError::NoTls)));
}
