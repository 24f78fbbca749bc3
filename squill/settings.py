"""
The settings of every place that Squill runs in: one file, which differs by environment only.

Every variable that is read here is listed in docs/operations.md. Nothing exists only in production.
"""

import warnings
from pathlib import Path
from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from squill import env, postgres, production

CHECKOUT = Path(__file__).resolve().parent.parent
# Whatever is wrong below is told at the end, all at once.
env.gather_problems()
production.take_secrets()
PRODUCTION = env.boolean("SQUILL_PRODUCTION", default=False)
DEBUG = env.boolean("SQUILL_DEBUG", default=False)
# By which metrics of several installations in one account are told apart.
SQUILL_STAGE = env.text("SQUILL_STAGE", "local")

# On a laptop the key guards nothing of worth; production has no default and refuses to start without one.
SECRET_KEY = env.text("SQUILL_SECRET_KEY") if PRODUCTION else env.text("SQUILL_SECRET_KEY", "not-secret-" + "x" * 50)
SECRET_KEY_FALLBACKS = env.words("SQUILL_SECRET_KEY_FALLBACKS")

SQUILL_HOME = postgres.home()
ALLOWED_HOSTS = env.words("SQUILL_ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
# Where links in mails and documents lead; no slash at the end.
PORT = env.integer("PORT", default=8000, minimum=1)  # of the demo's server
SQUILL_BASE_URL = env.text("SQUILL_BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
CSRF_TRUSTED_ORIGINS = [SQUILL_BASE_URL]
# Who the portal and its mails say they are from.
SQUILL_COMPANY_NAME = env.text("SQUILL_COMPANY_NAME", "Squill")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "procrastinate.contrib.django",
    "squill",
    "customers",
    "usage",
    "billing",
]
MIDDLEWARE = [
    "squill.web.middleware.request_id",
    "squill.web.middleware.database_limits",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "squill.web.middleware.request_body",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]
ROOT_URLCONF = "squill.urls"
WSGI_APPLICATION = "squill.wsgi.application"
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [CHECKOUT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database: DATABASE_URL, or where its password is a secret of AWS; else the embedded server, which manage.py starts ---
_database_url = env.text("DATABASE_URL", "") or production.database_url()
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(_database_url) if _database_url else postgres.connection_settings()
}
DATABASES["default"] |= {
    "ENGINE": "squill.db",
    "CONN_MAX_AGE": env.integer("SQUILL_DATABASE_CONNECTION_SECONDS", default=60),
    "CONN_HEALTH_CHECKS": True,
}
# What the address says wins. A server that only reads, such as the old writer after a failover, is not connected to.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": "20",
    "target_session_attrs": "read-write",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
} | DATABASES["default"].get("OPTIONS", {})
# For how long a connection is tried while the database does not answer, since it may be waking up. Then a request is answered
# with 503; scheduled functions wait longer (squill.entrypoints).
SQUILL_DATABASE_WAKE_SECONDS = env.integer("SQUILL_DATABASE_WAKE_SECONDS", default=5)
# How long one statement of a request may take; 0: as long as it likes.
SQUILL_DATABASE_STATEMENT_SECONDS = env.integer("SQUILL_DATABASE_STATEMENT_SECONDS", default=25)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Who signs in ---
AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("portal:sign-in")
LOGIN_REDIRECT_URL = reverse_lazy("portal:overview")
# A portal link lets in once, for an hour.
SESAME_MAX_AGE = env.integer("SQUILL_SIGN_IN_LINK_SECONDS", default=3600, minimum=60)
SESAME_ONE_TIME = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Language and time ---
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("de", _("German")),
    ("fr", _("French")),
    ("es", _("Spanish")),
    ("ja", _("Japanese")),
    ("ar", _("Arabic")),
]
LOCALE_PATHS = [CHECKOUT / "squill" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files and documents ---
STATIC_URL = env.text("SQUILL_STATIC_URL", "/static/")
STATIC_ROOT = Path(env.text("SQUILL_STATIC_ROOT", str(SQUILL_HOME / "static")))
WHITENOISE_USE_FINDERS = not PRODUCTION
if not PRODUCTION:
    # Files are served from where they lie in the apps; the folder that collectstatic fills need not be there.
    warnings.filterwarnings("ignore", message="No directory at: ")
WHITENOISE_AUTOREFRESH = DEBUG
_bucket = env.text("SQUILL_DOCUMENTS_BUCKET", "")
STORAGES: dict[str, dict[str, Any]] = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": SQUILL_HOME / "media"}},
    # Invoices as sent. Disk by default, S3 where a bucket is named. A kept document is never overwritten.
    "documents": (
        {
            "BACKEND": "billing.delivery.storage.DocumentStorage",
            "OPTIONS": {
                "bucket_name": _bucket,
                "location": env.text("SQUILL_DOCUMENTS_PREFIX", "documents"),
                "default_acl": None,
                "file_overwrite": False,
                "querystring_expire": 300,
                "object_parameters": {"ServerSideEncryption": env.text("SQUILL_DOCUMENTS_ENCRYPTION", "AES256")},
            },
        }
        if _bucket
        else {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": SQUILL_HOME / "documents", "file_permissions_mode": 0o600},
        }
    ),
}

# The process that lays PDFs out: what it may take before a document is given up.
SQUILL_PDF_SECONDS = env.integer("SQUILL_PDF_SECONDS", default=300, minimum=1)
SQUILL_PDF_MEMORY_MB = env.integer("SQUILL_PDF_MEMORY_MB", default=2048, minimum=256)

# --- Mail: a folder by default, SES by environment ---
_mail = env.one_of("SQUILL_MAIL", ("folder", "ses", "memory"), default="folder")
EMAIL_BACKEND = {
    "folder": "squill.web.mail.FolderBackend",
    "ses": "billing.delivery.ses.Backend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
}[_mail]
EMAIL_FILE_PATH = SQUILL_HOME / "mail"
DEFAULT_FROM_EMAIL = env.text("SQUILL_FROM_EMAIL", "billing@squill.example")
# SES throttles by its own queue and ours; sleeping inside a function only burns its time.
AWS_SES_AUTO_THROTTLE = None
USE_SES_V2 = True
AWS_SES_CONFIGURATION_SET = env.text("SQUILL_SES_CONFIGURATION_SET", "") or None
# The topic of SNS whose messages /hooks/ses takes; empty: none.
SQUILL_SES_TOPIC_ARN = env.text("SQUILL_SES_TOPIC_ARN", "")
if env.text("AWS_ENDPOINT_URL", ""):
    AWS_SES_REGION_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL")

# --- HTTP API ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["customers.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["customers.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["squill.web.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": "squill.web.options.AllowAlone",
    "DEFAULT_PAGINATION_CLASS": "squill.web.pagination.CursorPages",
    "EXCEPTION_HANDLER": "squill.web.problems.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Squill",
    "DESCRIPTION": "Usage-based billing: send usage, manage customers and plans, price things, read usage and invoices.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "LICENSE": {"name": "Apache-2.0"},
    # Tools such as Postman want an absolute address; a fixed one, so that the document is the same everywhere.
    "SERVERS": [{"url": "http://127.0.0.1:8000", "description": "A laptop (make demo); put your own address in its place"}],
    "ENUM_NAME_OVERRIDES": {
        "BillingPeriodKindEnum": "billing.models.BillingPeriod.Kind",
        "CouponStateEnum": "billing.reductions.redeeming.HeldState",
        "CreditEntryKindEnum": "billing.models.CreditEntry.Kind",
        "CreditKindEnum": "billing.models.Credit.Kind",
        "CreditStateEnum": "billing.reductions.ledger.CreditState",
        "GrantedCreditKindEnum": ["promotional", "paid"],
        "CreditReasonEnum": "billing.models.CreditNote.Reason",
        "InvoiceKindEnum": "billing.models.Invoice.Kind",
        "InvoiceStatusEnum": "billing.models.Invoice.Status",
        "PlanKindEnum": "billing.models.Plan.Kind",
        "RoundingEnum": ["up", "down"],
        "SubscriptionChangeKindEnum": "billing.models.SubscriptionChange.Kind",
        "SubscriptionChangeStateEnum": "billing.subscriptions.standing.ChangeState",
        "SubscriptionStateEnum": "billing.subscriptions.standing.State",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "squill.web.schema.describe_problems"],
}
CORS_ALLOWED_ORIGINS = env.words("SQUILL_CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
# Limits of one request for events; each refusal names its setting.
SQUILL_EVENTS_MAX_BYTES = env.integer("SQUILL_EVENTS_MAX_BYTES", default=5_000_000, minimum=1024)
SQUILL_EVENTS_MAX_COUNT = env.integer("SQUILL_EVENTS_MAX_COUNT", default=10_000, minimum=1)
SQUILL_EVENTS_MAX_DEPTH = env.integer("SQUILL_EVENTS_MAX_DEPTH", default=8, minimum=1)
SQUILL_EVENTS_MAX_KEYS = env.integer("SQUILL_EVENTS_MAX_KEYS", default=100, minimum=1)
SQUILL_EVENTS_MAX_TEXT = env.integer("SQUILL_EVENTS_MAX_TEXT", default=255, minimum=1, maximum=255)
SQUILL_EVENTS_MAX_NAME = env.integer("SQUILL_EVENTS_MAX_NAME", default=128, minimum=1)
SQUILL_EVENTS_MAX_DECIMALS = env.integer("SQUILL_EVENTS_MAX_DECIMALS", default=12, minimum=0, maximum=12)
SQUILL_EVENTS_FUTURE_SECONDS = env.integer("SQUILL_EVENTS_FUTURE_SECONDS", default=3600)
# Older usage needs a key with the scope events:backfill, so that a broken clock does not reopen what was billed long ago.
# 0: as old as it likes.
SQUILL_EVENTS_PAST_DAYS = env.integer("SQUILL_EVENTS_PAST_DAYS", default=40, minimum=0)
DATA_UPLOAD_MAX_MEMORY_SIZE = SQUILL_EVENTS_MAX_BYTES
# How many whole months events stay after theirs has ended; 0 is for ever.
SQUILL_EVENTS_RETENTION_MONTHS = env.integer("SQUILL_EVENTS_RETENTION_MONTHS", default=0)

# --- Content Security Policy: strict everywhere, relaxed under /admin/ alone (squill.web.admin_site says why) ---
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# --- Jobs: procrastinate keeps them in the same PostgreSQL, enqueued in the transaction that needs them ---
PROCRASTINATE_ON_APP_READY = "billing.management.workers.configure"
SQUILL_JOB_MAX_ATTEMPTS = env.integer("SQUILL_JOB_MAX_ATTEMPTS", default=12, minimum=1)
# How long a draft waits for late usage before a run makes it final; sellers and customers may say otherwise.
SQUILL_BILLING_GRACE_MINUTES = env.integer("SQUILL_BILLING_GRACE_MINUTES", default=60 if PRODUCTION else 0, minimum=0)
# A subscription whose billing fails this often waits for a person.
SQUILL_BILLING_MAX_ATTEMPTS = env.integer("SQUILL_BILLING_MAX_ATTEMPTS", default=3, minimum=1)
# How a run is shared out (billing.runs.chunks): members of a chunk, and for how long a worker may have one to itself.
SQUILL_BILLING_CHUNK_SIZE = env.integer("SQUILL_BILLING_CHUNK_SIZE", default=25, minimum=1)
SQUILL_BILLING_CLAIM_SECONDS = env.integer("SQUILL_BILLING_CLAIM_SECONDS", default=60, minimum=1)
# How many invocations may work at once on a run, or on the queue, the one that the schedule started among them.
SQUILL_WORKERS_MAX = env.integer("SQUILL_WORKERS_MAX", default=8, minimum=1)

UNFOLD = {
    "SITE_TITLE": "Squill",
    "SITE_HEADER": "Squill",
    "SITE_SUBHEADER": _("Finance desk"),
    "SITE_SYMBOL": "receipt_long",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    # The blue of the portal (squill/static/squill/portal.css) in Unfold's steps.
    "COLORS": {
        "primary": {
            "50": "#f0f3fe",
            "100": "#dfe6fd",
            "200": "#c6d1fb",
            "300": "#a3b5f8",
            "400": "#7c92f2",
            "500": "#5670e6",
            "600": "#2b4acb",
            "700": "#2039a6",
            "800": "#1d3187",
            "900": "#1c2c6b",
            "950": "#141c42",
        }
    },
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "squill.web.admin_site.navigation"},
    "DASHBOARD_CALLBACK": "billing.admin.dashboard.dashboard",
}

# On Lambda a line is an event of CloudWatch: JSON, so that its members can be searched, and metrics among them.
_is_function = bool(env.text("AWS_LAMBDA_FUNCTION_NAME", ""))
_log_format = env.one_of("SQUILL_LOG_FORMAT", ("line", "json"), default="json" if _is_function else "line")
SQUILL_METRICS = env.one_of("SQUILL_METRICS", ("none", "emf"), default="emf" if _is_function else "none")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "squill.lib.log_lines.Line", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "squill.lib.log_lines.Json"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": _log_format}},
    "root": {"handlers": ["console"], "level": env.text("SQUILL_LOG_LEVEL", "INFO")},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        # Zappa's line for each request holds its path, with a sign-in link in it perhaps, and its caller's address.
        "zappa.wsgi": {"level": "WARNING"},
        # Our own line for each request, which other servers write themselves.
        "squill.requests": {"level": "INFO" if _log_format == "json" else "WARNING"},
    },
}

if PRODUCTION:
    production.check()
env.refuse_gathered()
