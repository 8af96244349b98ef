# What every agent's image stands on: Node, git, Python and the usual tools, and the user agents run as.
# Another BASE has to be of Debian or Ubuntu.
ARG BASE=node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c
FROM ${BASE}

USER root
HEALTHCHECK NONE
RUN command -v apt-get > /dev/null \
 || { echo "agents need an image of Debian or Ubuntu: here is no apt-get" >&2; exit 1; } \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      bash build-essential ca-certificates curl file git jq less make openssl patch procps \
      python3 python3-pip python3-venv ripgrep unzip xz-utils \
 && rm -rf /var/lib/apt/lists/*

# Agents need Node 22 or newer; where the base has none, this very one is fetched.
ARG NODE=22.23.3
ARG NODE_X64=qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==
ARG NODE_ARM64=l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==
ARG NPM=10.9.9
ARG NPM_SUM=1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==
ARG NPM_REGISTRY=https://registry.npmjs.org
RUN set -eu; \
    if node --version 2> /dev/null | grep -Eq '^v(2[2-9]|[3-9][0-9])\.'; then exit 0; fi; \
    case "$(uname -m)" in \
      x86_64) machine=x64 sum=$NODE_X64 ;; \
      aarch64) machine=arm64 sum=$NODE_ARM64 ;; \
      *) echo "there is no Node for $(uname -m) here" >&2; exit 1 ;; \
    esac; \
    fetch() { curl -fsSL "$NPM_REGISTRY/$1" -o /tmp/fetched.tgz; \
      [ "$(openssl dgst -sha512 -binary /tmp/fetched.tgz | openssl base64 -A)" = "$2" ] \
        || { echo "$1 is not what it was" >&2; exit 1; }; }; \
    fetch "node-linux-$machine/-/node-linux-$machine-$NODE.tgz" "$sum"; \
    tar -xzf /tmp/fetched.tgz -C /usr/local/bin --strip-components=2 package/bin/node; \
    fetch "npm/-/npm-$NPM.tgz" "$NPM_SUM"; \
    mkdir -p /usr/local/lib/node_modules/npm; \
    tar -xzf /tmp/fetched.tgz -C /usr/local/lib/node_modules/npm --strip-components=1; \
    for name in npm npx; do ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "/usr/local/bin/$name"; done; \
    chmod 0755 /usr/local/bin/node /usr/local/lib/node_modules/npm/bin/*-cli.js; \
    rm /tmp/fetched.tgz

# The user is there for programs that look their own name up; any other number works too.
RUN cd / && taken="$(getent passwd 1000 | cut -d: -f1)" \
 && if [ -n "$taken" ]; then userdel "$taken"; fi \
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
