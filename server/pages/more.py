"""What is not needed every day: language, account, links."""

from fastapi import APIRouter
from fastapi.responses import Response

from server.web import render
from server.web.guard import SignedIn

router = APIRouter(include_in_schema=False)


@router.get("/more")
def more(visit: SignedIn) -> Response:
    """Account, language, the API's description, who may see what."""
    return render.page(visit, "more.html", snapshot=visit.parts.snapshot(), tab="more")


@router.get("/robots.txt")
def robots() -> Response:
    """Nothing here is for search engines."""
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")
