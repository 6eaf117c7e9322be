# esta on the CPU. From the root of the repository:
#   docker build --file docs/docker/cpu.Dockerfile --tag esta .
#   docker run --rm --volume "$PWD:/work" esta run quickstart
FROM node:22-bookworm-slim AS package
WORKDIR /esta
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN mkdir /package && npm run build && npm pack --pack-destination /package

FROM node:22-bookworm-slim
COPY --from=package /package/ /package/
RUN npm install --global /package/esta-*.tgz && npm cache clean --force && rm -r /package
# Run folders are written by this user, whose number is that of the first user of most machines: 1000.
USER node
WORKDIR /work
ENTRYPOINT ["esta"]
CMD ["--help"]
