# Stand-ins for the servers of docker-compose.yml, of Debian's packages, for a machine that can pull no image.
FROM debian:bookworm-slim AS debian
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d && apt-get update

FROM debian AS redis
RUN apt-get install -y --no-install-recommends redis-server && chown redis:redis /var/lib/redis && install -d -o redis -g redis /data
USER redis

FROM debian AS rabbitmq
RUN apt-get install -y --no-install-recommends rabbitmq-server && rm -rf /var/lib/rabbitmq/mnesia \
    && echo '[rabbitmq_management].' >/etc/rabbitmq/enabled_plugins && chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
USER rabbitmq
ENV HOME=/var/lib/rabbitmq RABBITMQ_LOGS=-
CMD ["/usr/lib/rabbitmq/bin/rabbitmq-server"]
ENV PATH=/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

FROM debian AS caddy
RUN apt-get install -y --no-install-recommends caddy netcat-openbsd && install -d /data
