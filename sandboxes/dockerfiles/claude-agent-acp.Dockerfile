# The adapter that lets Claude Code speak the Agent Client Protocol, with the Claude Code it drives; both of one exact version.
ARG BASE
FROM ${BASE}

ARG VERSION=0.100.0
ARG CLAUDE_VERSION=2.1.329
USER root
RUN npm install --global --no-audit --no-fund --no-update-notifier "@anthropic-ai/claude-code@${CLAUDE_VERSION}" \
 && npm install --global --no-audit --no-fund --no-update-notifier --omit=optional \
      "@agentclientprotocol/claude-agent-acp@${VERSION}" \
 && rm -rf /root/.npm \
 && claude --version | grep -F "${CLAUDE_VERSION}" \
 && npm list --global "@agentclientprotocol/claude-agent-acp@${VERSION}"

ENV DISABLE_AUTOUPDATER=1 \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
USER 1000:1000
