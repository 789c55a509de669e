"""``/live``: server-sent events, one for each change, and a heartbeat."""

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

from server.parts import Parts
from server.views.streams import Change, End
from server.web.guard import SignedIn, Visit

router = APIRouter()
BEAT_S = 10.0
_FULL_S = 30


@router.get("/live", include_in_schema=False)
async def live(request: Request, visit: SignedIn) -> StreamingResponse:
    """The ids of changed tanks and incidents, as they change; 503 when too many follow already.

    It ends with the session. When the person opens too many, their oldest ends.
    """
    if visit.parts.feed.full:
        wait = {"Retry-After": str(_FULL_S)}
        raise HTTPException(503, "too many pages are followed; try again later", wait)
    return StreamingResponse(
        _events(request, visit), media_type="text/event-stream", headers={
            "X-Accel-Buffering": "no"
        },
    )  # fmt: skip


async def _events(request: Request, visit: Visit) -> AsyncIterator[str]:
    parts = visit.parts
    async with parts.feed.watch(visit.token, visit.me) as stream:
        yield f"retry: 2000\n\n{_event(parts, Change(parts.feed.version))}"
        while stream.ended is None and not await request.is_disconnected():
            change = await stream.next(BEAT_S)
            if change is not None:
                yield _event(parts, change)
            elif stream.ended is None:
                yield _event(parts, Change(parts.feed.version), name="beat")
        if stream.ended in (End.REPLACED, End.SESSION):
            yield f"event: end\ndata: {json.dumps({'why': stream.ended.value})}\n\n"


def _event(parts: Parts, change: Change, name: str = "change") -> str:
    data = {
        "version": change.version,
        "tanks": change.tanks,
        "incidents": change.incidents,
        "now": round(parts.clock.now()),
    }
    return f"event: {name}\nid: {change.version}\ndata: {json.dumps(data)}\n\n"
