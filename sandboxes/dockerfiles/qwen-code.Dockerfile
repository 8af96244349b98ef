# Qwen Code, of one exact version: what the driver of its protocol was recorded with.
ARG BASE
FROM ${BASE}

ARG VERSION=0.24.4
USER root
RUN npm install --global --no-audit --no-fund --no-update-notifier --omit=optional "@qwen-code/qwen-code@${VERSION}" \
 && rm -rf /root/.npm \
 && qwen --version | grep -F "${VERSION}"

USER 1000:1000
