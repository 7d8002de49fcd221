# Makes the secrets of this deployment, once, each in the volume of those who need it; nobody else ever sees them.
set -eu
random() { head -c 24 /dev/urandom | base64 | tr -d '+/=\n'; }
keep() { [ -s "$1" ] || { printf '%s' "$2" >"$1.new" && chmod 444 "$1.new" && mv "$1.new" "$1"; }; }

# RabbitMQ takes every file of its folder for configuration, so that the password is kept in that.
keep /volumes/rabbitmq/users.conf "default_user = tandem
default_pass = $(random)
"
password=$(sed -n 's/^default_pass = //p' /volumes/rabbitmq/users.conf)
keep /volumes/broker/url "amqp://tandem:$password@rabbitmq:5672/%2f"
keep /volumes/redis/password "$(random)"
password=$(cat /volumes/redis/password)
keep /volumes/redis/users.conf "requirepass $password
"
keep /volumes/store/url "redis://:$password@redis:6379"
keep /volumes/customcrm/demo-token "$(random)"
keep /volumes/exactonline/demo-client-secret "$(random)"
# Whoever speaks TLS for the simulators is no root either.
chown 65532:65532 /volumes/certificates
