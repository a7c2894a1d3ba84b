# The service is the last stage and so the default; the event bus stands in for EventBridge in docker-compose.yml.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without install scripts: the compiler needs none, and the local servers of development are not built here.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM ${NODE_IMAGE} AS event-bus
WORKDIR /app
COPY package.json ./
COPY --from=build /app/dist/dev/event-bus dist/dev/event-bus
USER node
EXPOSE 4010
CMD ["node", "dist/dev/event-bus/main.js"]

FROM build AS production-code
RUN rm -rf dist/dev dist/client

FROM ${NODE_IMAGE} AS service
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=production-code /app/dist dist
COPY docker/postgres/schema.sql docker/postgres/schema.sql
USER node
EXPOSE 3010 9464
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3010) + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# The base image's entrypoint replaces itself by this, so node is process 1 and gets SIGTERM. A smaller young generation
# than V8 would take: 240 instead of 330 MB at 10,000 journeys, for 6 % of CPU.
CMD ["node", "--no-allocation-site-pretenuring", "--max-semi-space-size=16", "dist/main.js"]
