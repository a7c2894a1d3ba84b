#!/usr/bin/env bash
# npm run test:docker: builds the image, and runs on containers of Redis and Postgres, and of Valkey where it is to be had,
# all tests that go through the service's ports, with the image in place of the source. Needs a Docker engine on Linux.
set -euo pipefail
cd "$(dirname "$0")/.."
timeout 20 docker info >/dev/null || { echo 'npm run test:docker needs a Docker engine that answers.' >&2; exit 1; }
export TEST_SERVICES=containers TEST_SERVICE_IMAGE=admin-service:test
suites=(tests/http tests/outbox tests/store tests/process tests/telemetry tests/client/real-service tests/client/restarted-service)
# One file after the other: a service in a container and its container of Redis take a core each. Forced to end, because the
# clients of containers that have gone keep Jest from it. Without the coverage of the foretold arrivals: a long calculation,
# which needs no other Redis than npm test's.
run() { npx jest --runInBand --forceExit "$@" --testPathIgnorePatterns /node_modules/ arrival-coverage; }

bash docker/build.sh "$TEST_SERVICE_IMAGE"
TEST_REDIS_IMAGE=redis:7-alpine run tests/image "${suites[@]}"

valkey=valkey/valkey:8-alpine
if docker image inspect $valkey >/dev/null 2>&1 || timeout 120 docker pull --quiet $valkey 2>/dev/null; then
  echo "The same on $valkey"
  TEST_REDIS_IMAGE=$valkey run "${suites[@]}"
else
  echo "skipped: the same on Valkey ($valkey is not to be had)"
fi
