. /scripts/common.sh
master=$(master)
{
    echo "dir /data"
    echo "appendonly yes"
    echo "appendfsync always"
    echo "maxmemory-policy noeviction"
    # A write waits for a replica, and a replica that hangs is given up before people notice.
    echo "min-replicas-to-write 1"
    echo "repl-timeout 10"
    # Pods change their addresses and keep their names.
    echo "replica-announce-ip $self"
    echo "requirepass $password"
    echo "masterauth $password"
    [ "$master" = "$self" ] || echo "replicaof $master 6379"
} >/tmp/redis.conf
exec redis-server /tmp/redis.conf
