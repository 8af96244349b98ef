# What every agent's image stands on: Node, git, Python and the usual tools, and the user agents run as.
ARG BASE=node:22-bookworm-slim
FROM ${BASE}

USER root
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      bash build-essential ca-certificates curl file git jq less make patch procps \
      python3 python3-pip python3-venv ripgrep unzip xz-utils \
 && rm -rf /var/lib/apt/lists/*

# The user is there for programs that look their own name up; any other number works too.
RUN taken="$(getent passwd 1000 | cut -d: -f1)" \
 && if [ -n "$taken" ]; then userdel --remove "$taken"; fi \
 && useradd --uid 1000 --user-group --create-home --shell /bin/bash agent \
 && rm -rf /workspace \
 && install -d -o 1000 -g 1000 /workspace /q /swarm/launch /swarm/measured \
 && git config --system --add safe.directory '*' \
 && node --version | grep -Eq '^v(2[2-9]|[3-9][0-9])\.'

# Sandboxes mount a volume on each of these; it takes their owner.
LABEL swarm.rooms=1000:1000
ENV LANG=C.UTF-8
ENTRYPOINT []
CMD ["bash"]
USER 1000:1000
WORKDIR /workspace
