#!/usr/bin/env bash
# Builds the images, starts docker-compose.yml on free ports, makes one journey by hand and some simulated ones, and
# removes everything again.
set -euo pipefail
cd "$(dirname "$0")/.."
compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }
free_port() { node -e "const s = require('net').createServer().listen(0, () => { console.log(s.address().port); s.close(); })"; }

export COMPOSE_PROJECT_NAME=admin-service-try-$$
PORT=$(free_port)
MANAGEMENT_PORT=$(free_port)
PROMETHEUS_PORT=$(free_port)
GRAFANA_PORT=$(free_port)
export PORT MANAGEMENT_PORT PROMETHEUS_PORT GRAFANA_PORT
trap 'compose --profile load --profile observe down -v --rmi local --remove-orphans >/dev/null 2>&1' EXIT

compose --profile load --profile observe config -q
compose --profile load build
compose up -d
url=http://127.0.0.1:$PORT
for _ in $(seq 120); do
  curl -fs "$url/health/ready" >/dev/null && break
  sleep 0.5
done
curl -fsS "$url/health/ready"
echo

eval "$(compose run --rm -T tokens 2>/dev/null | grep '^export ')"
session=5e55a000-0000-4000-8000-000000000001
call() { # call STATUS METHOD PATH TOKEN [BODY]
  local expected=$1 method=$2 path=$3 token=$4 answer
  answer=$(curl -sS -w '\n%{http_code}' -X "$method" "$url$path" -H "Authorization: Bearer $token" \
    ${5:+-H 'Content-Type: application/json' -d "$5"})
  echo "$method ${path#/api/v1/admin} ${answer##*$'\n'}"
  [ "${answer##*$'\n'}" = "$expected" ] || { echo "$answer"; return 1; }
}
api=/api/v1/admin
call 201 POST $api/sessions/$session/start-journey "$TRAINER"
call 201 POST $api/location-tracking/journey/updates "$TRAINER" \
  "{\"sessionId\":\"$session\",\"latitude\":12.9779,\"longitude\":77.6408,\"accuracy\":8}"
call 200 GET "$api/location-tracking/journey/live?sessionId=$session" "$STUDENT"
call 200 POST $api/sessions/$session/arrived "$TRAINER"

JOURNEYS=50 MINUTES=0.2 compose --profile load run --rm -T simulator
echo 'simulator: passed'

is_available() { docker image inspect "$1" >/dev/null 2>&1 || timeout 120 docker pull -q "$1" >/dev/null 2>&1; }
try_observing() { # try_observing SERVICE CHECK: starts SERVICE and waits until CHECK succeeds
  local image
  image=$(compose --profile observe config | grep -o "image: .*$1:.*" | cut -d' ' -f2)
  if ! is_available "$image"; then
    echo "skipped: $1 ($image is not available)"
    return
  fi
  compose --profile observe up -d --no-deps "$1"
  for _ in $(seq 120); do
    "$2" && break
    sleep 0.5
  done
  "$2"
  echo "$1: passed"
}
has_metrics() {
  curl -fsG "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" --data-urlencode 'query=max(http_request_duration_seconds_count)' |
    grep -q '"value"'
}
has_dashboard() { curl -fs "http://127.0.0.1:$GRAFANA_PORT/api/dashboards/uid/admin-service" | grep -q outbox_depth; }
try_observing prometheus has_metrics
try_observing grafana has_dashboard

service=$(compose ps -q service)
echo "process 1: $(docker top "$service" -o pid,user,args | sed -n 2p)"
events() { compose logs event-bus | grep -E 'TrainerJourney(Started|Ended)' | grep -c "$session" || true; }
for _ in $(seq 40); do
  [ "$(events)" = 2 ] && break
  sleep 0.25
done
[ "$(events)" = 2 ]
echo 'events: passed'
docker stop -t 30 "$service" >/dev/null
[ "$(docker inspect -f '{{.State.ExitCode}}' "$service")" = 0 ]
echo 'SIGTERM: passed'
