# One image for every command, by argument: docker run titanic_ml train, … predict …
# docs/containers.md has the lines; `make image-check` builds it and runs it.

# The base in both stages, pinned by version; the environment's path to its Python must stay the same.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
# pip and poetry-core are in an environment of their own, so that the other has only what runs.
RUN python -m venv --without-pip /opt/titanic_ml && python -m venv /opt/build
COPY requirements-build.txt requirements-image.txt ./
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt && \
    /opt/build/bin/pip --python /opt/titanic_ml/bin/python install --no-cache-dir --require-hashes \
        -r requirements-image.txt && \
    find /opt/titanic_ml -type d -name tests -prune -exec rm -rf {} +
COPY pyproject.toml README.md LICENSE ./
COPY titanic_ml titanic_ml
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . && \
    /opt/build/bin/pip --python /opt/titanic_ml/bin/python install --no-deps --prefix /opt/package \
        dist/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="titanic_ml" \
      org.opencontainers.image.description="From a table of passengers to a chosen, measured, versioned model" \
      org.opencontainers.image.version="0.3.0" \
      org.opencontainers.image.licenses="MIT"
# Nothing installs packages here any more. A user with a name, since the log of champions has one.
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip \
        /usr/local/bin/pip* && \
    groupadd --gid 10001 titanic && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /work titanic && \
    install --directory --owner 10001 --group 10001 /work
# The package in a layer of its own: a change of the code is a megabyte, not all that it needs.
COPY --from=build /opt/titanic_ml /opt/titanic_ml
COPY --from=build /opt/package /opt/titanic_ml
ENV PATH=/opt/titanic_ml/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib
USER 10001:10001
# All that is written goes here (models/, .titanic_ml/) and into /tmp; the rest may be read-only.
WORKDIR /work
VOLUME /work
# Of `serve` on its default port; other commands end before the start period does.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz')"]
ENTRYPOINT ["titanic-ml"]
CMD ["--help"]
