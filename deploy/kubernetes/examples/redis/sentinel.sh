. /scripts/common.sh
# A Sentinel writes into its file what it has learnt. Only the first start makes it.
if [ ! -s "$known" ]; then
    # A name that is not known yet is refused: wait for it.
    master=$(master)
    until redis-cli -h "$master" ping >/dev/null 2>&1; do sleep 1; done
    {
        echo "port 26379"
        echo "sentinel resolve-hostnames yes"
        echo "sentinel announce-hostnames yes"
        echo "sentinel announce-ip $self"
        echo "sentinel monitor tandem $master 6379 2"
        echo "sentinel down-after-milliseconds tandem 5000"
        echo "sentinel failover-timeout tandem 30000"
        echo "sentinel auth-pass tandem $password"
        echo "requirepass $password"
        echo "sentinel sentinel-pass $password"
    } >"$known.new"
    mv "$known.new" "$known"
fi
exec redis-server "$known" --sentinel
