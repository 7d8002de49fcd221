#!/usr/bin/env bash
# Makes the Secrets of a cluster to try things in, with passwords that nobody knows: secrets.sh [NAMESPACE]
set -euo pipefail
namespace=${1:-tandem}
random() { head -c 24 /dev/urandom | base64 | tr -d '+/=\n'; }
secret() {
    local name=$1
    shift
    kubectl create secret generic "$name" --namespace "$namespace" "$@" --dry-run=client -o yaml | kubectl apply -f -
}
kubectl create namespace "$namespace" --dry-run=client -o yaml | kubectl apply -f -
broker=$(random) store=$(random)
secret tandem-broker --from-literal=url="amqp://tandem:$broker@rabbitmq:5672/%2f"
secret tandem-rabbitmq --from-literal=users.conf="default_user = tandem
default_pass = $broker"
secret tandem-store --from-literal=url="redis://:$store@redis:6379"
secret tandem-redis --from-literal=users.conf="requirepass $store"
secret tandem-customcrm --from-literal=demo-token="$(random)"
secret tandem-exactonline --from-literal=demo-client-secret="$(random)"
