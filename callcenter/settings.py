"""The one settings file: every value that an installation may change comes from the environment, with a type.

The variables are listed, with what they mean, in `.env.example`; a test keeps the two in step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from callcenter.lib.env import reader
from callcenter.lib.log_config import configuration

BASE_DIR = Path(__file__).resolve().parent.parent

_raw_env_file = reader(None).str("ENV_FILE", default=str(BASE_DIR / ".env"))
env = reader(Path(_raw_env_file) if _raw_env_file else None)

# --- This installation -----------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", minimum_length=50)
SECRET_KEY_FALLBACKS = [key for key in env.secret("SECRET_KEY_FALLBACKS", default="").split(",") if key]
TOKEN_PEPPER = env.secret("TOKEN_PEPPER", minimum_length=32)
FIELD_ENCRYPTION_KEYS = [key.strip() for key in env.secret("FIELD_ENCRYPTION_KEYS").split(",") if key.strip()]
if not FIELD_ENCRYPTION_KEYS:
    raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS needs at least one Fernet key.")

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
HTTPS = env.bool("HTTPS", default=False)
# Names at which /api speaks one dialect, and only that.
CSCART_HOSTS = env.list("CSCART_HOSTS", default=[])
VENDDOR_HOSTS = env.list("VENDDOR_HOSTS", default=[])
TEMPBOX_HOSTS = env.list("TEMPBOX_HOSTS", default=[])
_DIALECT_HOSTS = [*CSCART_HOSTS, *VENDDOR_HOSTS, *TEMPBOX_HOSTS]
_named = [{name.lower() for name in names} for names in (CSCART_HOSTS, VENDDOR_HOSTS, TEMPBOX_HOSTS)]
if len(set().union(*_named)) < sum(map(len, _named)):
    raise ImproperlyConfigured("CSCART_HOSTS, VENDDOR_HOSTS and TEMPBOX_HOSTS must not name the same host.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"]) + _DIALECT_HOSTS
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PROXY_COUNT = env.int("PROXY_COUNT", default=0)

# --- Database and broker: SQLite and files by default, PostgreSQL and Redis in production -------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url_config(
        env.secret("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'callcenter.sqlite3'}"
    ),
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database.setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=20,
        # FULL: the intent to dial must survive a power cut before the call is placed.
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    )
else:
    _database.update(ENGINE="callcenter.lib.postgresql", CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
    _database.setdefault("OPTIONS", {}).update(
        connect_timeout=3,
        # The queries that ask for it are prepared when a connection asks them a third time; never the ORM's.
        prepare_threshold=2 if env.bool("DATABASE_PREPARED_STATEMENTS", default=True) else None,
        keepalives=1,
        keepalives_idle=30,
        # synchronous_commit: as above, the intent to dial must be on the disk before the call is placed.
        options="-c synchronous_commit=on -c statement_timeout=30000 -c lock_timeout=5000"
        " -c idle_in_transaction_session_timeout=30000",
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.secret("REDIS_URL", default="")
REDIS_KEY_PREFIX = env.str("REDIS_KEY_PREFIX", default="callcenter:")
_BROKER_DIR = DATA_DIR / "broker"
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "visibility_timeout": 300,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "global_keyprefix": REDIS_KEY_PREFIX,
    }
else:
    for _name in ("queue", "control"):
        (_BROKER_DIR / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "filesystem://localhost//"
    CELERY_BROKER_TRANSPORT = "callcenter.lib.file_broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_BROKER_DIR / "queue"),
        "data_folder_out": str(_BROKER_DIR / "queue"),
        "control_folder": str(_BROKER_DIR / "control"),
        "store_processed": False,
    }

# The broker is a bell: every task re-reads the tables, so a message may be lost or doubled.
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_DB_REUSE_MAX = 1000
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")

# --- Dialing ----------------------------------------------------------------------------------------------------

DIALER_TICK_SECONDS = env.float("DIALER_TICK_SECONDS", default=5.0)
DIALER_SWEEP_SECONDS = env.float("DIALER_SWEEP_SECONDS", default=10.0)
# A claim that was not sent, or a send that was not answered, is nobody's after this long.
DIALER_LEASE_SECONDS = env.int("DIALER_LEASE_SECONDS", default=60)
# So many failures of a line's PABX in a row open its breaker; the first pause before one call tries it again.
DIALER_BREAKER_FAILURES = env.int("DIALER_BREAKER_FAILURES", default=5)
DIALER_BREAKER_SECONDS = env.float("DIALER_BREAKER_SECONDS", default=30.0)
# An accepted call without news, and an answered one without an end, are closed as "no news" after this long.
DIALER_RING_TIMEOUT_SECONDS = env.int("DIALER_RING_TIMEOUT_SECONDS", default=300)
DIALER_TALK_TIMEOUT_SECONDS = env.int("DIALER_TALK_TIMEOUT_SECONDS", default=7200)
# How long after a call's end news without the carrier's id may still be about it.
CALLBACK_MATCH_SECONDS = env.int("CALLBACK_MATCH_SECONDS", default=600)
DIGITRO_CONNECT_TIMEOUT_SECONDS = env.float("DIGITRO_CONNECT_TIMEOUT_SECONDS", default=3.0)
DIGITRO_READ_TIMEOUT_SECONDS = env.float("DIGITRO_READ_TIMEOUT_SECONDS", default=10.0)
# The slug of "Gerar chamada utilizando uma rota específica" is not public; ask Dígitro for it. Empty = not usable.
DIGITRO_SPECIFIC_ROUTE_SLUG = env.str("DIGITRO_SPECIFIC_ROUTE_SLUG", default="")
# Nor are these, but for the redirection's.
DIGITRO_FINISH_SLUG = env.str("DIGITRO_FINISH_SLUG", default="")
DIGITRO_TRANSFER_SLUG = env.str("DIGITRO_TRANSFER_SLUG", default="")
DIGITRO_REDIRECT_SLUG = env.str("DIGITRO_REDIRECT_SLUG", default="executa-desvio")
DIGITRO_ASSOCIATE_SLUG = env.str("DIGITRO_ASSOCIATE_SLUG", default="")
DIGITRO_DAC_LOGIN_SLUG = env.str("DIGITRO_DAC_LOGIN_SLUG", default="")
# Nor is where its event channel is opened. A channel is nobody's so long after its reader's last word, and lost after
# so long a silence.
DIGITRO_EVENTS_PATH = env.str("DIGITRO_EVENTS_PATH", default="")
DIGITRO_CHANNEL_LEASE_SECONDS = env.float("DIGITRO_CHANNEL_LEASE_SECONDS", default=10.0)
DIGITRO_CHANNEL_SILENCE_SECONDS = env.float("DIGITRO_CHANNEL_SILENCE_SECONDS", default=60.0)
DIRECTCALL_CONNECT_TIMEOUT_SECONDS = env.float("DIRECTCALL_CONNECT_TIMEOUT_SECONDS", default=3.0)
DIRECTCALL_READ_TIMEOUT_SECONDS = env.float("DIRECTCALL_READ_TIMEOUT_SECONDS", default=10.0)
DIRECTCALL_LIST_CALLBACK_PATH = env.str("DIRECTCALL_LIST_CALLBACK_PATH", default="/voz/list-callback")
DIRECTCALL_REMOVE_CALLBACK_PATH = env.str("DIRECTCALL_REMOVE_CALLBACK_PATH", default="/voz/remove-callback")
DIRECTCALL_ANSWER_FORMAT = env.str("DIRECTCALL_ANSWER_FORMAT", default="json")
if DIRECTCALL_ANSWER_FORMAT not in {"json", "xml"}:
    raise ImproperlyConfigured("DIRECTCALL_ANSWER_FORMAT must be json or xml.")
# How often one account is asked about calls in doubt and without news, over all workers.
DIRECTCALL_ASKS_PER_MINUTE = env.int("DIRECTCALL_ASKS_PER_MINUTE", default=30)
# Where the carrier's recordings may lie, names below these included; one inside our network with its port.
RECORDING_HOSTS = env.list("RECORDING_HOSTS", default=["directdial.com.br", "directcall.com.br", "directcallsoft.com"])
WEBHOOK_MAX_BYTES = env.int("WEBHOOK_MAX_BYTES", default=65536)

# --- Outgoing webhooks ------------------------------------------------------------------------------------------

WEBHOOK_DELIVERY_SECONDS = env.float("WEBHOOK_DELIVERY_SECONDS", default=5.0)
WEBHOOK_CONNECT_TIMEOUT_SECONDS = env.float("WEBHOOK_CONNECT_TIMEOUT_SECONDS", default=3.0)
WEBHOOK_TIMEOUT_SECONDS = env.float("WEBHOOK_TIMEOUT_SECONDS", default=15.0)
WEBHOOK_KEEP_DAYS = env.int("WEBHOOK_KEEP_DAYS", default=30)
# Our own networks are out of a shop's reach, but for these.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS", default=[])

# --- The helpdesk's assistant (IA) -----------------------------------------------------------------------------------

# Empty = the embedded one, which lets nothing out. A company's texts go to this address only if it says so itself.
ASSISTANT_BASE_URL = env.str("ASSISTANT_BASE_URL", default="").rstrip("/")
ASSISTANT_MODEL = env.str("ASSISTANT_MODEL", default="")
ASSISTANT_API_KEY = env.secret("ASSISTANT_API_KEY", default="")
ASSISTANT_CONNECT_TIMEOUT_SECONDS = env.float("ASSISTANT_CONNECT_TIMEOUT_SECONDS", default=3.0)
ASSISTANT_TIMEOUT_SECONDS = env.float("ASSISTANT_TIMEOUT_SECONDS", default=20.0)

# --- The site chat and attachments ------------------------------------------------------------------------------

# Where the visitors' pages find the stream process; empty = at PUBLIC_URL, where a proxy leads to it.
CHAT_STREAM_URL = env.str("CHAT_STREAM_URL", default="").rstrip("/")
# 0 = without a limit.
CHAT_CALLS_PER_MINUTE_PER_ADDRESS = env.int("CHAT_CALLS_PER_MINUTE_PER_ADDRESS", default=300)
CHAT_OPENINGS_PER_HOUR_PER_ADDRESS = env.int("CHAT_OPENINGS_PER_HOUR_PER_ADDRESS", default=60)
CHAT_MESSAGES_PER_MINUTE_PER_CONVERSATION = env.int("CHAT_MESSAGES_PER_MINUTE_PER_CONVERSATION", default=30)
# Mail of channels that have no server of their own leaves by this one: smtp+tls://user:password@host:587.
vars().update(env.email_url("EMAIL_URL", default="dummymail://"))
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=10 * 1024 * 1024)

# --- What beat rings --------------------------------------------------------------------------------------------

# A worker takes both; one that is started with `--queues webhooks` keeps slow receivers to itself.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "webhooks")]
CELERY_TASK_ROUTES = {
    name: {"queue": "webhooks"}
    for name in ("requests_app.tasks.deliver_webhooks", "helpdesk.tasks.deliver_messages", "helpdesk.tasks.fetch_mail")
}
# Behind a backlog a late tick's claims would be given back before anybody could place them, and made again.
_TICK, _SWEEP = ({"expires": 2 * seconds} for seconds in (DIALER_TICK_SECONDS, DIALER_SWEEP_SECONDS))
CELERY_BEAT_SCHEDULE = {
    "dialer-tick": {"task": "telephony.tasks.dialer_tick", "schedule": DIALER_TICK_SECONDS, "options": _TICK},
    # Rung for what is stored, not for each callback.
    "apply-news": {"task": "telephony.tasks.apply_news", "schedule": 1.0, "options": {"expires": 5.0}},
    "tie-calls": {"task": "telephony.tasks.tie_calls", "schedule": 1.0, "options": {"expires": 5.0}},
    "telephony-sweep": {"task": "telephony.tasks.sweep", "schedule": DIALER_SWEEP_SECONDS, "options": _SWEEP},
    "missed-callbacks": {"task": "requests_app.tasks.watch_missed_callbacks", "schedule": 60.0},
    "deliver-webhooks": {"task": "requests_app.tasks.deliver_webhooks", "schedule": WEBHOOK_DELIVERY_SECONDS},
    "prune-webhooks": {"task": "requests_app.tasks.prune_webhook_deliveries", "schedule": 3600.0},
    "purge-idempotent-answers": {"task": "requests_app.tasks.purge_idempotent_answers", "schedule": 3600.0},
    "ask-carrier": {"task": "telephony.tasks.ask_carrier", "schedule": 15.0},
    "reconcile-carrier": {"task": "telephony.tasks.reconcile_carrier", "schedule": 1800.0},
    "tend-callbacks": {"task": "telephony.tasks.tend_callbacks", "schedule": 120.0},
    "helpdesk-assign": {"task": "helpdesk.tasks.assign_waiting", "schedule": 5.0},
    "helpdesk-answer": {"task": "helpdesk.tasks.answer_automatically", "schedule": 3.0},
    "helpdesk-deliver": {"task": "helpdesk.tasks.deliver_messages", "schedule": 5.0},
    "helpdesk-mail": {"task": "helpdesk.tasks.fetch_mail", "schedule": 60.0},
    "helpdesk-scheduled": {"task": "helpdesk.tasks.send_scheduled_messages", "schedule": 10.0},
    "helpdesk-waiting": {"task": "helpdesk.tasks.tend_waiting", "schedule": 30.0},
    "helpdesk-silent": {"task": "helpdesk.tasks.tend_silent", "schedule": 60.0},
    "helpdesk-details": {"task": "helpdesk.tasks.collect_contact_details", "schedule": 60.0},
    "follow-presence": {"task": "telephony.tasks.follow_presence", "schedule": 5.0},
    "tend-meters": {"task": "telephony.tasks.tend_meters", "schedule": 30.0, "options": {"expires": 30.0}},
    "recount-meters": {"task": "telephony.tasks.tend_meters", "schedule": crontab(hour=3, minute=40), "args": [True]},
    "judge-held": {"task": "telephony.tasks.judge_held", "schedule": crontab(minute=7)},
    "check-promises": {"task": "telephony.tasks.check_promises", "schedule": crontab(hour=3, minute=10)},
    "heartbeat": {"task": "callcenter.tasks.heartbeat", "schedule": 15.0},
}

# --- APIs -------------------------------------------------------------------------------------------------------

CSCART_ITEMS_PER_PAGE = env.int("CSCART_ITEMS_PER_PAGE", default=10)
CSCART_ITEMS_PER_PAGE_CEILING = env.int("CSCART_ITEMS_PER_PAGE_CEILING", default=10_000)
# The most rows in one answer of the TempBox API, which knows no pages; and whether a list documented as null stays so.
TEMPBOX_ROWS_CEILING = env.int("TEMPBOX_ROWS_CEILING", default=10_000)
TEMPBOX_HUMAN_HASHES_ALWAYS_NULL = env.bool("TEMPBOX_HUMAN_HASHES_ALWAYS_NULL", default=False)
CSCART_RESPONSIBLE = env.bool("CSCART_RESPONSIBLE", default=False)

# How often one may call, and fail to log in (keys, passwords, the admin's form); 0 = without a limit.
API_CALLS_PER_MINUTE_PER_KEY = env.int("API_CALLS_PER_MINUTE_PER_KEY", default=600)
API_CALLS_PER_MINUTE_PER_ADDRESS = env.int("API_CALLS_PER_MINUTE_PER_ADDRESS", default=1200)
FAILED_LOGINS_PER_ADDRESS_AND_EMAIL = env.int("FAILED_LOGINS_PER_ADDRESS_AND_EMAIL", default=20)
FAILED_LOGINS_PER_ADDRESS = env.int("FAILED_LOGINS_PER_ADDRESS", default=100)
FAILED_LOGIN_WINDOW_SECONDS = env.int("FAILED_LOGIN_WINDOW_SECONDS", default=900)
# Keys that a program gets for an e-mail address and a password (Venddor's /auth).
LOGIN_KEY_DAYS = env.int("LOGIN_KEY_DAYS", default=30)
LOGIN_KEYS_PER_USER = env.int("LOGIN_KEYS_PER_USER", default=5)
if min(FAILED_LOGIN_WINDOW_SECONDS, LOGIN_KEY_DAYS, LOGIN_KEYS_PER_USER) < 1:
    raise ImproperlyConfigured("FAILED_LOGIN_WINDOW_SECONDS, LOGIN_KEY_DAYS and LOGIN_KEYS_PER_USER must be 1 or more.")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": PROXY_COUNT,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "callcenter",
    "DESCRIPTION": "Call requests in the CS-Cart and Venddor dialects.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Enumerations stay where they are used: the two dialects have different words for one state.
    "POSTPROCESSING_HOOKS": [],
    "OAS_VERSION": "3.1.0",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# --- Django -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "callcenter.apps.CallcenterConfig",
    "callcenter.apps.CallcenterAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "callcenter.accounts",
    "requests_app",
    "helpdesk",
    "telephony",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "callcenter.content_policy.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "callcenter.hosts.DialectHosts",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "callcenter.urls"
WSGI_APPLICATION = "callcenter.wsgi.application"
# An API client must never be redirected: a redirected POST loses its body.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "admin:login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="pt-br")
LANGUAGES = [("pt-br", "Português (Brasil)"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "callcenter" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="America/Sao_Paulo")
USE_TZ = True

STATIC_URL = "/static/"
MEDIA_ROOT = DATA_DIR / "media"
# The image collects its static files, compressed and hashed; bin/run and the tests serve them straight from the apps.
STATIC_COLLECTED = env.bool("STATIC_COLLECTED", default=False)
STATIC_ROOT = BASE_DIR / "static-collected" if STATIC_COLLECTED else None
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Security ---------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
# A plain-HTTP API call is refused by the proxy, not redirected: its body would be lost.
SECURE_REDIRECT_EXEMPT = [r"^api", r"^venddor/", r"^webhooks/", r"^chat/", r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXY_COUNT else None
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    },
}
DEFAULT_EXCEPTION_REPORTER = "callcenter.lib.logging.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "callcenter.lib.logging.ReporterFilter"

# --- Logs -------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT = env.str("LOG_FORMAT", default="text")
if LOG_FORMAT not in {"text", "json"}:
    raise ImproperlyConfigured("LOG_FORMAT must be text or json.")
LOGGING = configuration(level=LOG_LEVEL, form=LOG_FORMAT)
