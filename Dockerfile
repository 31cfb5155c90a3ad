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
# Only names and values of no worth: nothing of this step's environment stays in the image.
RUN SECRET_KEY=build PUBLIC_URL=https://build.invalid ALLOWED_HOSTS=build.invalid EMAIL_URL=smtp://build.invalid \
    DATABASE_URL=postgres://build.invalid/x REDIS_URL=redis://build.invalid \
    python manage.py collectstatic --no-input -v0 \
    && mkdir -p var/files var/beat && chown -R portal: var && chmod 700 var
USER portal
VOLUME /srv/portal/var
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s --retries=4 \
    CMD ["python", "-m", "portal.healthcheck"]
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--preload", "--worker-tmp-dir", "/dev/shm"]
