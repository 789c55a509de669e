"""``/live``: server-sent events, one for each change, and a heartbeat."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from server.parts import Parts
from server.views.feed import Change
from server.web.guard import SignedIn

router = APIRouter()
BEAT_S = 10.0


@router.get("/live", include_in_schema=False)
async def live(request: Request, visit: SignedIn) -> StreamingResponse:
    """The ids of changed tanks and incidents, as they change."""
    return StreamingResponse(
        _events(request, visit.parts), media_type="text/event-stream", headers={
            "X-Accel-Buffering": "no"
        },
    )  # fmt: skip


async def _events(request: Request, parts: Parts) -> AsyncIterator[str]:
    async with parts.feed.watch() as queue:
        yield f"retry: 2000\n\n{_event(parts, Change(parts.feed.version))}"
        while not (parts.feed.closed or await request.is_disconnected()):
            try:
                change = await asyncio.wait_for(queue.get(), BEAT_S)
            except TimeoutError:
                yield _event(parts, Change(parts.feed.version), name="beat")
                continue
            if change is not None:
                yield _event(parts, change)


def _event(parts: Parts, change: Change, name: str = "change") -> str:
    data = {
        "version": change.version,
        "tanks": change.tanks,
        "incidents": change.incidents,
        "now": round(parts.clock.now()),
    }
    return f"event: {name}\nid: {change.version}\ndata: {json.dumps(data)}\n\n"
