# The packages, in a stage of their own: what builds them stays behind.
FROM python:3.12-slim AS packages
WORKDIR /srv/portal
COPY requirements.lock .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    DEBUG=0 \
    PORTAL_VAR=/srv/portal/var \
    STATIC_ROOT=/srv/portal/static-built \
    MEDIA_ROOT=/srv/portal/var/files
RUN useradd --system --uid 10001 --home-dir /srv/portal --no-create-home portal
WORKDIR /srv/portal
COPY --from=packages /opt/venv /opt/venv
COPY . .
# Settings load only with all of these; their values are of no worth, and none stays in the image.
RUN SECRET_KEY=build PUBLIC_URL=https://build.invalid ALLOWED_HOSTS=build.invalid EMAIL_URL=smtp://build.invalid \
    DATABASE_URL=postgres://build.invalid/x REDIS_URL=redis://build.invalid \
    python manage.py collectstatic --no-input -v0 \
    && mkdir -p var/files && chown -R portal: var && chmod 700 var
USER portal
VOLUME /srv/portal/var
EXPOSE 8000
# Asks as the proxy does: by a host name of ours, over what it says was TLS.
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s --retries=4 CMD ["python", "-c", "\
import http.client, os; \
host = os.environ['ALLOWED_HOSTS'].split(',')[0]; \
web = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); \
web.request('GET', '/health/ready', headers={'Host': host, 'X-Forwarded-Proto': 'https'}); \
raise SystemExit(web.getresponse().status != 200)"]
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--preload", \
     "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
