# Codex, of one exact version: what its driver was recorded with.
ARG BASE
FROM ${BASE}

ARG VERSION=0.169.0
USER root
RUN npm install --global --no-audit --no-fund --no-update-notifier "@openai/codex@${VERSION}" \
 && rm -rf /root/.npm \
 && codex --version | grep -F "${VERSION}"

USER 1000:1000
