"""Two answers for load balancers and people: is the process up, and can it do its work."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 whenever the process can answer at all; asks nothing of the database."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database answers and has every migration, else 503 with what is missing."""
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "no answer"}, status=503)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return JsonResponse({"status": "unavailable", "database": "ok", "migrations_missing": missing}, status=503)
    return JsonResponse({"status": "ok", "database": "ok", "migrations_missing": 0})
