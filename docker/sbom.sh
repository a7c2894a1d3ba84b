#!/usr/bin/env bash
# npm run sbom -- [cyclonedx|spdx]: what the image ships, by the lockfile, on standard output. Not npm sbom --omit=dev by
# itself: that leaves out what a package of development needs too, such as pg.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# npm takes the name from the folder.
mkdir "$scratch/admin-service"
cp package.json package-lock.json .npmrc "$scratch/admin-service"
cd "$scratch/admin-service"
npm pkg delete devDependencies
npm install --package-lock-only --ignore-scripts --offline >/dev/null
npm sbom --package-lock-only --sbom-type=application --sbom-format="${1:-cyclonedx}"
