"""
Bytes on disk that one event costs, all indexes and the register of keys counted: 100,000 CloudEvents of 250 bytes.

Half of them come in requests of 1,000, the others in requests of 10, as from a mix of senders; indexes that were filled
in small steps are less dense. Sizes are taken as they are, without VACUUM FULL or REINDEX.
"""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 (after set-up)

from customers.services import create_customer  # noqa: E402
from squill.lib.actor import system  # noqa: E402
from usage.ingestion import decoding, ingest  # noqa: E402
from usage.ingestion.checking import limits  # noqa: E402
from usage.services import create_meter  # noqa: E402

EVENTS = 100_000
CUSTOMERS = 500
NOW = datetime(2026, 4, 1, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)
ACTOR = system("benchmark")
TABLES = """
SELECT CASE WHEN relation::text LIKE 'usage_event_2%%' THEN 'usage_event (a month)' ELSE relation::text END,
       sum(pg_relation_size(relation) + coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0)), sum(pg_indexes_size(relation)),
       sum(pg_total_relation_size(relation))
FROM (SELECT oid::regclass AS relation, reltoastrelid FROM pg_class
      WHERE relkind = 'r' AND (relname LIKE 'usage_event_2%%' OR relname IN ('usage_eventkey', 'usage_rollup'))) AS tables
GROUP BY 1 ORDER BY 1
"""


def main() -> None:
    for number in range(CUSTOMERS):
        create_customer(external_id=f"customer-{number:03}", name=f"Customer {number}", actor=ACTOR, now=START)
    create_meter(code="calls", name="Calls", event_type="api.request", aggregation="count", actor=ACTOR, now=START)
    sent = done = 0
    while done < EVENTS:
        size = 1000 if done % 2000 == 0 else 10
        bodies = [json.dumps(cloud_event(done + number), separators=(",", ":")) for number in range(size)]
        sent += sum(map(len, bodies))
        headers = {"content-type": decoding.BATCH}
        events = decoding.decode_request(f"[{','.join(bodies)}]".encode(), headers=headers, limits=limits(), now=NOW)
        ingest(events, now=NOW)
        done += size
    print(f"{done:,} CloudEvents of {sent / done:.0f} bytes")
    print(f"{'':24} {'rows':>8} {'indexes':>8} {'all':>8}   bytes an event")
    total = 0.0
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for name, rows, indexes, everything in cursor.fetchall():
            print(f"{name:24} {rows / done:>8.1f} {indexes / done:>8.1f} {everything / done:>8.1f}")
            total += 0 if name == "usage_rollup" else float(everything)
    print(f"{'an event, rollups apart':24} {'':>8} {'':>8} {total / done:>8.1f}")


def cloud_event(number: int) -> dict[str, Any]:
    """Return an event of about 250 bytes, as the CloudEvents SDKs write it."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        "source": "api-gateway",
        "type": "api.request",
        "subject": f"customer-{number * 7919 % CUSTOMERS:03}",
        "time": (START + timedelta(seconds=number * 26)).isoformat().replace("+00:00", "Z"),
        "data": {"route": "/v1/things/42", "bytes": number % 5000, "status": 200, "region": "eu"},
    }


if __name__ == "__main__":
    main()
