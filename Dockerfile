# The service is the last stage and so the default. The other targets are docker-compose.yml's: the event bus stands in for
# EventBridge, the simulator is the load. The base is pinned by its tag: with --build-arg NODE_IMAGE=...@sha256:... by digest.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without install scripts: the compiler needs none, and the local servers of development are not built here.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
RUN npm run build

FROM ${NODE_IMAGE} AS event-bus
WORKDIR /app
COPY package.json ./
COPY --from=build /app/dist/dev/event-bus dist/dev/event-bus
USER 1000
EXPOSE 4010
CMD ["node", "dist/dev/event-bus/main.js"]

FROM build AS simulator
USER 1000
# A larger young generation makes collections of thousands of phones rarer.
ENTRYPOINT ["node", "--max-semi-space-size=64", "--import", "tsx", "src/dev/simulate.ts"]

# What goes into the service's two layers, with one time on every file, and the same always: the same source gives the same
# layers, and a release that changes no dependency shares that layer with the one before.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /rootfs/app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && rm package.json package-lock.json .npmrc \
  && find /rootfs -exec touch -hd @0 {} +

FROM build AS production-code
RUN mkdir -p /rootfs/app && cp -r package.json dist /rootfs/app && cd /rootfs/app && rm -r dist/dev dist/client dist/contract/*.d.ts \
  && chmod -R u=rwX,go=rX /rootfs && find /rootfs -exec touch -hd @0 {} +

FROM ${NODE_IMAGE} AS service
ENV NODE_ENV=production
COPY --from=dependencies /rootfs/ /
COPY --from=production-code /rootfs/ /
WORKDIR /app
# By number, so that an orchestrator that wants no root sees that it is none.
USER 1000
EXPOSE 3010 9464
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s --retries=3 \
  CMD ["node", "-e", "http.get({ port: process.env.PORT || 3010, path: '/health/live' }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# The base image's entrypoint replaces itself by this, so node is process 1 and gets SIGTERM. A task has one core:
# there V8's helpers to collect the young generation hold up the thread that waits for them. With 12,000 waiting students
# the process was kept from its core for 2 instead of 20 % of the time without them. A small young generation takes less
# memory (10,000 journeys: 178 MiB with 8 MB, 223 with 16) and makes shorter pauses (10 ms with 16 MB, 20 with 32), where
# the time spent collecting was about the same. And V8's four helpers that mark all of the heap may leave a fifth of the
# core to the thread that answers: 0 is one for each other core, and one at least. Then V8 collects all of the heap
# whenever it has grown by a third, with 20,000 waiting students 16 times in 100 s, and each time is behind for half a
# second; where it may grow by 150 %, 2 or 3 times, for 90 MiB more. V8's memory reducer would collect it every 100 s for
# nothing: without, 10,000 journeys had two such collections in four minutes instead of three, took the same 200 MiB, and
# the 99th percentile was 27 instead of 151 ms (on a machine of half the usual speed).
CMD ["node", "--no-allocation-site-pretenuring", "--max-semi-space-size=8", "--no-parallel-scavenge", "--v8-pool-size=0", "--heap-growing-percent=150", "--no-memory-reducer", "dist/main.js"]
# docker/build.sh sets these from package.json and git.
ARG NODE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="admin-service" \
  org.opencontainers.image.description="Student-trainer journeys and live location" \
  org.opencontainers.image.base.name="${NODE_IMAGE}" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.created="${CREATED}"
