#!/usr/bin/env bash
# npm run test:docker: builds the image and runs all tests that go through the service's ports against it, with Redis and
# Postgres in containers, then again with Valkey if its image is available. Needs a Docker engine on Linux.
set -euo pipefail
cd "$(dirname "$0")/.."
timeout 20 docker info >/dev/null || { echo 'npm run test:docker needs a running Docker engine.' >&2; exit 1; }
export TEST_SERVICES=containers TEST_SERVICE_IMAGE=admin-service:test
suites=(tests/http tests/outbox tests/store tests/process tests/telemetry tests/client/real-service)
# In band, because a service and its Redis take a core each. --forceExit, because clients of removed containers keep Jest
# from exiting. arrival-coverage is a long calculation that npm test already runs.
run() { npx jest --runInBand --forceExit "$@" --testPathIgnorePatterns /node_modules/ arrival-coverage; }

bash docker/build.sh "$TEST_SERVICE_IMAGE"
TEST_REDIS_IMAGE=redis:7-alpine run tests/image "${suites[@]}"

valkey=valkey/valkey:8-alpine
if docker image inspect $valkey >/dev/null 2>&1 || timeout 120 docker pull --quiet $valkey 2>/dev/null; then
  echo "Again with $valkey"
  TEST_REDIS_IMAGE=$valkey run "${suites[@]}"
else
  echo "skipped: tests with Valkey ($valkey is not available)"
fi
