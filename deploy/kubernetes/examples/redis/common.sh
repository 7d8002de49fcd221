# Who this is, and who is the master: as the Sentinels say, else as this node's own Sentinel knew it last, else the first.
set -eu
self=$HOSTNAME.redis
password=$(cat /run/secrets/redis/password)
export REDISCLI_AUTH="$password"
known=/data/sentinel.conf

master() {
    for node in redis-0.redis redis-1.redis redis-2.redis; do
        [ "$node" != "$self" ] || continue
        told=$(timeout 3 redis-cli -h "$node" -p 26379 --raw sentinel get-master-addr-by-name tandem 2>/dev/null | head -n 1) || told=
        case $told in redis-[0-9].redis) echo "$told"; return ;; esac
    done
    told=
    [ ! -s "$known" ] || told=$(sed -n 's/^sentinel monitor tandem "\{0,1\}\(redis-[0-9]\.redis\)"\{0,1\} .*/\1/p' "$known")
    echo "${told:-redis-0.redis}"
}
