# One image for web, worker, beat, migrate and the simulators; the command says which.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --only-binary :all: -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENV_FILE= \
    DATA_DIR=/data \
    STATIC_COLLECTED=true
RUN useradd --system --uid 10001 --user-group --no-create-home callcenter \
    && install -d -o callcenter -g callcenter /data /data/media
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py ./
COPY callcenter callcenter
COPY requests_app requests_app
COPY telephony telephony
COPY helpdesk helpdesk
COPY templates templates
# The settings refuse to load without secrets; these reach neither the image's environment nor its files.
RUN SECRET_KEY=only-while-the-static-files-are-collected-0123456789 \
    TOKEN_PEPPER=only-while-the-static-files-are-collected \
    FIELD_ENCRYPTION_KEYS=none DATA_DIR=/tmp/build \
    python manage.py collectstatic --noinput && rm -rf /tmp/build
USER callcenter
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["sh", "-c", "exec python -m granian --interface wsgi --http 1 --no-ws --host 0.0.0.0 --port 8000 --workers ${WEB_WORKERS:-2} --blocking-threads 4 --workers-kill-timeout 10 --log-level warning callcenter.wsgi:application"]
