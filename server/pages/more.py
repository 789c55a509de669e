"""Account, language and links."""

from fastapi import APIRouter
from fastapi.responses import Response

from server.web import render
from server.web.guard import SignedIn
from server.words.page import role

router = APIRouter(include_in_schema=False)


@router.get("/more")
def more(visit: SignedIn) -> Response:
    """Account, language, and the API's description."""
    return render.page(
        visit, "more.html", snapshot=visit.parts.snapshot(), tab="more", name=visit.me.name,
        role=role(visit.language, visit.me), may_add_people=visit.me.coordinates,
    )  # fmt: skip


@router.get("/robots.txt")
def robots() -> Response:
    """Nothing here is for search engines."""
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")
