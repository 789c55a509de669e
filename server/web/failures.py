"""Error answers: a page in plain words, or JSON for the API."""

import logging
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from server.accounts.hashing import BUSY_S, Busy
from server.web import guard, render
from server.web.guard import NeedsSignIn, Refused
from server.words.language import mark

BUSY = mark("Many people sign in at this moment. Wait a few seconds, then try again.")

_log = logging.getLogger(__name__)

_WORDS = {
    400: (mark("That did not work"), mark("Something in the form was not understood.")),
    403: (mark("Not for you"), mark("You may not do this.")),
    404: (mark("Nothing here"), mark("This page does not exist, or no longer.")),
    405: (mark("Nothing here"), mark("This page does not exist, or no longer.")),
    409: (mark("Somebody was faster"), mark("Load the page again to see how it stands.")),
    503: (mark("Not at this moment"), mark("Wait a few seconds, then load the page again.")),
    500: (
        mark("This went wrong"),
        mark("The mistake is ours. Levels and alerts go on; try again in a minute."),
    ),
}


def install(app: FastAPI) -> None:
    """Register a handler for every error."""
    app.add_exception_handler(NeedsSignIn, _needs_sign_in)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)


def _is_api(request: Request) -> bool:
    path: str = request.scope["path"]
    return path.startswith("/api/") or path == "/live"


def _needs_sign_in(request: Request, _: Exception) -> Response:
    if _is_api(request):
        return JSONResponse({"detail": "sign in first"}, 401, {"WWW-Authenticate": "Bearer"})
    return RedirectResponse(guard.sign_in_path(request), 303)


def _refused(request: Request, error: Exception) -> Response:
    refused = cast(Refused, error)
    return _answer(request, refused.status, refused.message)


def _busy(request: Request, _: Exception) -> Response:
    answer = _answer(request, 503, BUSY)
    answer.headers["Retry-After"] = str(BUSY_S)
    return answer


def _http(request: Request, error: Exception) -> Response:
    failed = cast(HTTPException, error)
    answer = _answer(request, failed.status_code, str(failed.detail) if _is_api(request) else "")
    answer.headers.update(failed.headers or {})  # Retry-After, WWW-Authenticate, Allow
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    if _is_api(request):
        details = [
            {"where": ".".join(str(p) for p in e["loc"]), "what": str(e["msg"])}
            for e in cast(RequestValidationError, error).errors()
        ]
        return JSONResponse({"detail": details}, 422)
    return _answer(request, 400, "")


def _broken(request: Request, error: Exception) -> Response:
    # Not the path that was asked for: a calendar's has a token in it.
    path = getattr(request.scope.get("route"), "path", "")
    _log.error("%s %s failed", request.method, path, exc_info=error)
    return _answer(request, 500, "")


def _answer(request: Request, status: int, message: str) -> Response:
    if _is_api(request):
        return JSONResponse({"detail": message or "failed"}, status)
    visit = guard.visit(request)
    title, text = _WORDS.get(status, _WORDS[400 if status < 500 else 500])
    heading, text = visit.language.text(title), visit.language.text(message or text)
    return render.page(visit, "failure.html", status, heading=heading, text=text)
