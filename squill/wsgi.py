"""The WSGI application, for gunicorn and for Zappa."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "squill.settings")

application = get_wsgi_application()
