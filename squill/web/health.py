"""Two answers for load balancers and people: is the process up, and can it do its work."""

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from squill.web.problems import RETRY_AFTER_SECONDS


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 whenever the process can answer at all; asks nothing of the database."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database answers, wakes up in time, and has every migration, else 503 with what is missing."""
    try:
        executor = MigrationExecutor(connection)
    except (DatabaseError, InterfaceError):
        document = {"status": "unavailable", "database": "no answer"}
        return JsonResponse(document, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return JsonResponse({"status": "unavailable", "database": "ok", "migrations_missing": missing}, status=503)
    return JsonResponse({"status": "ok", "database": "ok", "migrations_missing": 0})
