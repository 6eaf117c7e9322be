# esta on an NVIDIA GPU with ONNX Runtime's CUDA provider. The machine needs the NVIDIA Container Toolkit and a driver for
# CUDA 12. From the root of the repository:
#   docker build --file docs/docker/cuda.Dockerfile --tag esta-cuda .
#   docker run --rm --gpus all --volume "$PWD:/work" esta-cuda run quickstart --device cuda
FROM node:22-bookworm-slim AS package
WORKDIR /esta
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN mkdir /package && npm run build && npm pack --pack-destination /package

FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04
COPY --from=node:22-bookworm-slim /usr/local/ /usr/local/
COPY --from=package /package/ /package/
# Lets the install script of onnxruntime-node download the libraries of its CUDA provider from nuget.org.
ENV ONNXRUNTIME_NODE_INSTALL=cuda12
RUN npm install --global /package/esta-*.tgz && npm cache clean --force && rm -r /package
# The first user of most machines, as whom run folders are written; Ubuntu 24.04 has it.
USER 1000
WORKDIR /work
ENTRYPOINT ["esta"]
CMD ["--help"]
