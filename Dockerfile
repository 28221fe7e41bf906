FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/carrygrid \
    && /opt/carrygrid/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
COPY workers workers
COPY api api
# The replay kernel is built here; the compiler comes as a wheel and stays behind with this stage.
RUN /opt/carrygrid/bin/pip install --no-cache-dir --disable-pip-version-check --target /opt/compiler ziglang==0.17.1 \
    && PYTHONPATH=/opt/compiler /opt/carrygrid/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps . \
    && /opt/carrygrid/bin/python -c "from bot.kernel.loading import load; print(load().path)"

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/carrygrid --create-home carrygrid
COPY --from=build /opt/carrygrid /opt/carrygrid
ENV PATH=/opt/carrygrid/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CARRYGRID_HOME=/var/lib/carrygrid
WORKDIR /var/lib/carrygrid
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "uvicorn", "api.main:app", "--host", "0.0.0.0", "--port", "8000", "--no-access-log"]
