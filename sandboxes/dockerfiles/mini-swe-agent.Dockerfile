# mini-swe-agent, of one exact version: what the driver of its runner was recorded with. Only what its loop needs of it.
ARG BASE
FROM ${BASE}

ARG VERSION=2.4.6
ARG LITELLM_VERSION=1.106.2
USER root
RUN python3 -m venv /opt/mini \
 && /opt/mini/bin/pip install --no-cache-dir --no-deps "mini-swe-agent==${VERSION}" \
 && /opt/mini/bin/pip install --no-cache-dir "litellm==${LITELLM_VERSION}" \
      jinja2 mcp platformdirs python-dotenv pyyaml requests rich tenacity typer \
 && MSWEA_SILENT_STARTUP=1 /opt/mini/bin/python -c "import minisweagent; print(minisweagent.__version__)" | grep -Fx "${VERSION}"

USER 1000:1000
