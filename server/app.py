"""The application: routes, headers, error pages, put together in one place."""

import contextlib
from collections.abc import AsyncGenerator

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from gateway.database.engine import open_database
from gateway.settings import Settings
from gateway.stores.port import ReadingStore
from server import parts
from server.api import health, stream, v1
from server.pages import devices, home, incident, me, more, people, rota, sign_in, tank, why
from server.web import failures
from server.web.headers import SecurityHeaders
from server.web.render import STATIC

_ONE_YEAR = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """Style, script and icons; their address changes with their content."""

    def file_response(self, *args: object, **kwargs: object):
        """As the parent, cacheable for a year."""
        response = super().file_response(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        response.headers["Cache-Control"] = _ONE_YEAR
        return response


def create(
    settings: Settings, engine: sa.Engine | None = None, store: ReadingStore | None = None
) -> FastAPI:
    """The application for these settings; database and store are opened unless given."""
    made = parts.make(settings, engine or open_database(settings), store)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        made.history.close()
        made.hashing.close()
        if engine is None:
            made.engine.dispose()

    app = FastAPI(
        title="Noria", version="1", docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", lifespan=lifespan,
        description="Levels, incidents and claims of one installation. Times are Unix seconds.",
    )  # fmt: skip
    # Its redirects to an address with a slash, or without, would name the Host that was asked for.
    app.router.redirect_slashes = False
    app.state.parts = made
    app.add_middleware(GZipMiddleware, minimum_size=600, compresslevel=6)
    app.add_middleware(SecurityHeaders, https=made.secure)
    app.mount("/static", Assets(directory=STATIC), name="static")
    for room in (
        home, tank, incident, why, sign_in, more, me, rota, devices, people, stream, health, v1,
    ):  # fmt: skip
        app.include_router(room.router)
    failures.install(app)
    return app
