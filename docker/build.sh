#!/usr/bin/env bash
# docker/build.sh TAG [docker build option...]: builds the image, labelled with version and commit.
# Reproducible: the same commit gives the same labels and layers.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:?usage: docker/build.sh TAG, such as admin-service:1.0.0}
shift
revision=unknown
if git rev-parse --verify -q HEAD >/dev/null; then
  revision=$(git rev-parse HEAD)
  [ -z "$(git status --porcelain)" ] || revision+=-changed
  : "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
docker build --tag "$tag" \
  --build-arg VERSION="$(node -p 'require("./package.json").version')" \
  --build-arg REVISION="$revision" \
  --build-arg CREATED="$(node -p 'new Date(process.env.SOURCE_DATE_EPOCH * 1000).toISOString()')" \
  "$@" .
