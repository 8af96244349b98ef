# Gemini CLI, of one exact version: what the driver of its protocol was recorded with.
ARG BASE
FROM ${BASE}

ARG VERSION=0.61.0
USER root
RUN npm install --global --no-audit --no-fund --no-update-notifier --omit=optional "@google/gemini-cli@${VERSION}" \
 && rm -rf /root/.npm \
 && gemini --version | grep -F "${VERSION}"

USER 1000:1000
