"""The WSGI application, for gunicorn and for Zappa."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "squill.settings")

application = get_wsgi_application()

# What the application consists of stays; looking through all of it for garbage again and again cost a third of the processor
# time of a batch of events. Collections are rarer too: a batch makes thousands of objects, none of them in a circle.
gc.freeze()
gc.set_threshold(50_000, 20, 100)
