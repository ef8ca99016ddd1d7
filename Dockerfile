# The image of every component: Airflow, the library (and with it the scoring service), the DAGs, the plugin. No secret is in it.
# Build: docker compose build

FROM python:3.11.14-slim-bookworm AS build

# pip compiles what it installs, and so do we below: each task is a process of its own, and would do it again.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /opt/fraudops
# The pinned packages change less often than our code: a layer of their own.
COPY requirements.txt ./
RUN /opt/venv/bin/pip install -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY include ./include
# Editable, so that the library finds the portfolios beside it, as in a checkout.
RUN /opt/venv/bin/pip install --no-deps --editable . \
 && /opt/venv/bin/python -m compileall -q include


FROM python:3.11.14-slim-bookworm

# libgomp1: LightGBM. curl: health checks. libpq comes with psycopg2-binary.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends curl libgomp1 \
 && rm -rf /var/lib/apt/lists/*

# Any user id works, as long as its group is 0 (AIRFLOW_UID in .env); USER is for libraries that ask who they are.
RUN useradd --uid 50000 --gid 0 --home-dir /opt/airflow --no-create-home --shell /usr/sbin/nologin airflow \
 && mkdir -p /opt/airflow/logs /opt/airflow/config /data/landing /data/serving /data/store \
 && chown -R 50000:0 /opt/airflow /data \
 && chmod -R g=u /opt/airflow /data

COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/fraudops /opt/fraudops
COPY dags /opt/fraudops/dags
COPY plugins /opt/fraudops/plugins

ENV PATH=/opt/venv/bin:$PATH \
    HOME=/opt/airflow \
    USER=airflow \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/fraudops/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/fraudops/plugins \
    FRAUDOPS_HOME=/opt/fraudops \
    FRAUDOPS_STATE=/data

WORKDIR /opt/airflow
USER 50000:0
ENTRYPOINT ["airflow"]
CMD ["version"]
