# Claude Code, of one exact version: what its driver was recorded with.
ARG BASE
FROM ${BASE}

ARG VERSION=2.1.329
USER root
RUN npm install --global --no-audit --no-fund --no-update-notifier "@anthropic-ai/claude-code@${VERSION}" \
 && rm -rf /root/.npm \
 && claude --version | grep -F "${VERSION}"

ENV DISABLE_AUTOUPDATER=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
USER 1000:1000
