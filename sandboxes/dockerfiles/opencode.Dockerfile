# opencode, of one exact version: what the driver of its protocol was recorded with.
ARG BASE
FROM ${BASE}

ARG VERSION=1.18.33
USER root
RUN npm install --global --no-audit --no-fund --no-update-notifier "opencode-ai@${VERSION}" \
 && rm -rf /root/.npm \
 && opencode --version | grep -F "${VERSION}"

USER 1000:1000
