"""``/health`` for uptime monitors and coordinators, ``/metrics`` for Prometheus."""

import hmac
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from gateway.monitoring import health as gateway_health
from gateway.monitoring import metrics as gateway_metrics
from gateway.monitoring.health import Health
from server.web.guard import AnyVisit, Visit

router = APIRouter(include_in_schema=False)


@router.get("/health")
def health(visit: AnyVisit) -> Response:
    """200 when every part works, else 503; strangers learn nothing more.

    The failing parts are for people with an account and for the token of ``metrics_token``, the
    reasons for coordinators.
    """
    parts = visit.parts
    known: Health = parts.health.get(
        lambda: gateway_health.check_health(parts.settings, parts.engine)
    )
    person = visit.person
    body: dict[str, Any] = {"ok": not known.failing}
    if person is not None or _monitors(visit):
        body["failing"] = known.failing
    if person is not None and person.coordinates:
        body = known.to_json()
    return JSONResponse(body, 503 if known.failing else 200)


@router.get("/metrics")
def metrics(visit: AnyVisit) -> Response:
    """The figures for Prometheus, for the token of ``metrics_token``; 404 without one."""
    parts = visit.parts
    if not parts.settings.metrics_token:
        raise HTTPException(404)
    if not _monitors(visit):
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    text = parts.metrics.get(
        lambda: gateway_metrics.text(parts.settings, parts.engine, parts.registry())
    )
    return PlainTextResponse(text, media_type=gateway_metrics.CONTENT_TYPE)


def _monitors(visit: Visit) -> bool:
    token = visit.parts.settings.metrics_token
    given = visit.request.headers.get("authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
