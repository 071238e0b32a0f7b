# This project in an image; docs/sharing.md says how to use it.
#   docker build -t plif .                         computes on the CPU
#   docker build -t plif-gpu --target gpu .        on GPUs, too, through Vulkan
ARG NODE=docker.io/library/node:22.23.3-trixie-slim

# The compiler of the native engine. The development container is this.
FROM ${NODE} AS tools
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates g++ git make python3 \
  && rm -rf /var/lib/apt/lists/*

FROM tools AS build
WORKDIR /plif
COPY . .
# TensorFlow.js for CUDA needs libraries that this image lacks.
RUN npm ci \
  && npm run build:native \
  && rm -rf node_modules/@tensorflow/tfjs-node-gpu native/build/Release/obj.target \
  && npm prune --omit=dev --no-save

# git: records name the commit.
FROM ${NODE} AS run
RUN apt-get update \
  && apt-get install -y --no-install-recommends git \
  && rm -rf /var/lib/apt/lists/* \
  && git config --system safe.directory /plif
COPY --from=build --chown=node:node /plif /plif
WORKDIR /plif
# Also for users whom the image does not know (`--user`).
ENV HOME=/tmp npm_config_update_notifier=false
USER node
CMD ["npm", "run", "reproduce"]

# The driver of NVIDIA's GPUs comes from the host, those of others are Mesa's. docs/engines.md names the libraries.
FROM run AS gpu
USER root
RUN apt-get update \
  && apt-get install -y --no-install-recommends libegl1 libvulkan1 libxext6 mesa-vulkan-drivers \
  && rm -rf /var/lib/apt/lists/*
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
USER node

FROM run AS cpu
