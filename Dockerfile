# The last stage, the service, is the default target. docker-compose.yml uses the others: event-bus replaces EventBridge,
# simulator generates load. Pin the base image by digest with --build-arg NODE_IMAGE=...@sha256:...
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The build needs no install scripts; only the local servers for development do.
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

# The service's two layers are reproducible (one timestamp on every file): a release that changes no dependency shares
# that layer with the release before.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /rootfs/app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && rm package.json package-lock.json .npmrc \
  && find /rootfs -exec touch -hd @0 {} +

FROM build AS production-code
RUN mkdir -p /rootfs/app && cp -r package.json dist /rootfs/app && cd /rootfs/app && rm -r dist/dev \
  && chmod -R u=rwX,go=rX /rootfs && find /rootfs -exec touch -hd @0 {} +

FROM ${NODE_IMAGE} AS service
ENV NODE_ENV=production
COPY --from=dependencies /rootfs/ /
COPY --from=production-code /rootfs/ /
WORKDIR /app
# A numeric user, so that orchestrators can verify that it is not root.
USER 1000
EXPOSE 3010 9464
# For docker-compose.yml, which waits for it; ECS ignores it and asks the load balancer, whose rule this is.
HEALTHCHECK --interval=12s --timeout=10s --start-period=5s --retries=4 \
  CMD ["node", "-e", "http.get({ port: process.env.PORT || 3010, path: '/health/live' }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# The base image's entrypoint replaces itself by this, so node is process 1 and gets SIGTERM. The same command as npm start,
# which tests/packaging.test.ts checks; src/README.md says why these two flags.
CMD ["node", "--max-semi-space-size=16", "--no-allocation-site-pretenuring", "dist/main.js"]
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
