#!/usr/bin/env bash
# npm run sbom -- [cyclonedx|spdx]: prints the packages in the image, from the lockfile. npm sbom --omit=dev would leave
# out packages that a development dependency needs too, such as pg.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# npm takes the name of the application from the folder.
mkdir "$scratch/admin-service"
cp package.json package-lock.json .npmrc "$scratch/admin-service"
cd "$scratch/admin-service"
npm pkg delete devDependencies
npm install --package-lock-only --ignore-scripts --offline >/dev/null
npm sbom --package-lock-only --sbom-type=application --sbom-format="${1:-cyclonedx}"
