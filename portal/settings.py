"""One settings file; what differs between places comes from the environment or `.env`.

Nothing set means: debug, embedded PostgreSQL and Valkey, mail to the built-in catcher. With DEBUG=0
every secret and address must be given; a missing one is an error that names it.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from files import storage
from portal import embedded

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=True)


def _required(name: str, *, debug: str) -> str:
    """A value that has a default in debug only."""
    if DEBUG:
        return str(env.str(name, default=debug))
    try:
        return str(env.str(name))
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"{name} must be set when DEBUG=0 (environment or .env).") from error


def _debug_secret() -> str:
    """A random key per checkout, kept in var/, so that debug sessions survive a restart."""
    path = embedded.var_dir() / "secret-key"
    if not path.exists():
        own = path.with_name(f"secret-key.{os.getpid()}")
        own.touch(mode=0o600)
        own.write_text(secrets.token_urlsafe(50))
        # a link appears whole or not at all: processes that start together agree on one key
        with contextlib.suppress(FileExistsError):
            os.link(own, path)
        own.unlink()
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="") or (
    _debug_secret() if DEBUG else _required("SECRET_KEY", debug="")
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
PUBLIC_URL = _required("PUBLIC_URL", debug="http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
INTERNAL_IPS: list[str] = []

PRODUCT_NAME = env.str("PRODUCT_NAME", default="Support Center")
REQUIRE_STAFF_MFA = env.bool("REQUIRE_STAFF_MFA", default=True)
TELEPHONE_NUMBERS = env.list("TELEPHONE_NUMBERS", default=["+1 408 555 0100", "+82 2 555 0100"])

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "cases.apps.CasesConfig",
    "entitlements.apps.EntitlementsConfig",
    "contracts.apps.ContractsConfig",
    "notifications.apps.NotificationsConfig",
    "files.apps.FilesConfig",
    "accounts.apps.AccountsConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "pgtrigger",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "django_structlog",
    "django_prometheus",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.TokenMiddleware",
    "accounts.middleware.ActingMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.middleware.StaffSecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "portal.throttle.ThrottleMiddleware",
    "portal.idempotency.IdempotencyMiddleware",
    "portal.own_pages.OwnNotFoundMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "csp.context_processors.nonce",
                "portal.context.frame",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {
    "default": {
        **env.db_url_config(env.str("DATABASE_URL", default="") or embedded.database_url()),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
REDIS_URL = env.str("REDIS_URL", default="") or embedded.redis_url()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The web process opens no Redis connection: cache and limits live in PostgreSQL too.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}}

AUTH_USER_MODEL = "accounts.User"
# the address is unique in any case of its letters, by a constraint that this check does not see
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {"signup": "accounts.forms.InvitedSignupForm"}
ACCOUNT_USER_DISPLAY = "accounts.adapter.display_name"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PUBLIC_URL.startswith("https") else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = PRODUCT_NAME
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
USERSESSIONS_TRACK_ACTIVITY = False

EMAIL_URL = _required("EMAIL_URL", debug="smtp://127.0.0.1:8025")
vars().update(env.email_url_config(EMAIL_URL))
# what Django and django-allauth send becomes a row of the outbox; the engine sends it by the backend of EMAIL_URL
DELIVERY_EMAIL_BACKEND = vars()["EMAIL_BACKEND"]
EMAIL_BACKEND = "notifications.backend.OutboxBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{PRODUCT_NAME} <support@portal.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(embedded.var_dir() / "static"))()
STATICFILES_DIRS = [BASE_DIR / "static"]
if DEBUG:
    Path(STATIC_ROOT).mkdir(
        parents=True, exist_ok=True
    )  # files come from the source folders; it only has to exist
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(embedded.var_dir() / "files"))()
STORAGES = {
    "default": storage.configured(env.str("FILE_STORAGE_URL", default="")),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_MAX_BYTES = env.int("FILE_MAX_BYTES", default=2 * 1024**3)
# what is still coming in; empty means a folder of MEDIA_ROOT
UPLOAD_DIR = env.str("UPLOAD_DIR", default="")
UPLOAD_HOURS = env.int("UPLOAD_HOURS", default=24)
UPLOAD_UNUSED_DAYS = env.int("UPLOAD_UNUSED_DAYS", default=7)
# per person, what no form has taken yet
UPLOADS_MAX = env.int("UPLOADS_MAX", default=100)
UPLOADS_MAX_BYTES = env.int("UPLOADS_MAX_BYTES", default=20 * 1024**3)
# per web process: each holds a thread, and the others must find one free
UPLOADS_AT_ONCE = env.int("UPLOADS_AT_ONCE", default=4)
FILE_DISK_RESERVE_BYTES = env.int("FILE_DISK_RESERVE_BYTES", default=1024**3)
# tcp://host:3310 or unix:///path; empty means that files are not scanned
CLAMD_URL = env.str("CLAMD_URL", default="")

SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": [],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", default=600)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.api.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.api.IsActing"],
    "DEFAULT_PAGINATION_CLASS": "portal.api.KeysetPagination",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.problems.problem",
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{PRODUCT_NAME} API",
    "VERSION": "1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["portal.api.IsActing"],
    "ENUM_NAME_OVERRIDES": {
        "CaseStateEnum": "cases.workflow.CaseState",
        "CaseChannelEnum": "cases.workflow.Channel",
        "ContractChannelEnum": "contracts.kinds.Channel",
        "PriorityEnum": "entitlements.kinds.Priority",
    },
}

_shared_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
# without local variables in a traceback: they are slow to print, and may hold secrets
_console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        # one line of JSON each where machines read, words where people do
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": _console if DEBUG else structlog.processors.JSONRenderer(),
            "foreign_pre_chain": _shared_processors,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django_structlog": {"level": "WARNING" if DEBUG else "INFO"},
        "celery": {"level": "WARNING"},
    },
}
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
