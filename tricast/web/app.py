"""The web application: routes, and what each answer carries so that a browser trusts nothing else."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from aiohttp import web
from jinja2 import Environment
from yarl import URL

from schemas.errors import TricastError
from tricast.monitor.picture import Picture, Record, Topic
from tricast.web import runbook
from tricast.web.access import SESSION_COOKIE, SESSION_S, Access
from tricast.web.sections import Page, Sections, environment
from tricast.web.shown import shown
from tricast.web.stream import events
from tricast.web.watched import Watched

MOST_STREAMS: Final = 64
"""Pages that may follow at a time."""
WRITE_TIMEOUT_S: Final = 30.0
"""A browser that takes nothing for so long is gone."""
_PARTS: Final = (
    ("feeds", "Feeds"),
    ("recent", "Findings"),
    ("pipeline", "Pipeline"),
    ("lines", "Lines"),
    ("topics", "Topics"),
    ("groups", "Groups"),
)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ASSETS: Final = {
    "status.css": "text/css",
    "status.js": "text/javascript",
    "healthy.svg": "image/svg+xml",
    "degraded.svg": "image/svg+xml",
    "down.svg": "image/svg+xml",
}
_THEMES: Final = frozenset({"light", "dark"})

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(watched: Watched, access: Access, now_ms: Callable[[], int]) -> web.Application:
    """Return the status page of what ``watched`` sees. It reads only; nothing here writes to Kafka.

    Args:
        now_ms: The clock that made the pictures; from it the browser tells ages.
    """
    site = _Site(watched, access, now_ms)
    app = web.Application(middlewares=[site.guard], client_max_size=16 * 1024)
    app.add_routes(
        [
            web.get("/", site.overview),
            web.get("/topic/{topic}", site.topic),
            web.get("/record/{topic}/{partition:\\d{1,9}}/{offset:\\d{1,18}}", site.record),
            web.get("/record/{topic}/{partition:\\d{1,9}}/{offset:\\d{1,18}}/bytes", site.record_bytes),
            web.get("/runbook", site.runbook),
            web.get("/events", site.events),
            web.get("/static/{version}/{name}", site.asset),
            web.get("/login", site.login_form),
            web.post("/login", site.login),
            web.post("/logout", site.logout),
        ]
    )
    app.on_shutdown.append(site.close)
    return app


class _Site:
    def __init__(self, watched: Watched, access: Access, now_ms: Callable[[], int]) -> None:
        self._watched = watched
        self._access = access
        self._now_ms = now_ms
        self._templates: Environment = environment()
        self._sections = Sections(self._templates)
        self._assets = {name: files("tricast.web").joinpath("static", name).read_bytes() for name in _ASSETS}
        self._version = hashlib.blake2s(b"".join(self._assets.values()), digest_size=6).hexdigest()
        self._runbook = runbook.rendered(runbook.text())
        self._streams: set[asyncio.Task[None]] = set()
        self._drawn_of: Picture | None = None
        self._drawn: dict[str, Page] = {}

    @web.middleware
    async def guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let in whom ``Access`` lets in; every answer gets the headers."""
        try:
            response = await self._guarded(request, handler)
        except web.HTTPException as refused:
            if refused.status < 400:
                refused.headers.update(_HEADERS)
                raise
            response = self._say(request, refused.reason, status=refused.status)
        if not response.prepared:
            response.headers.update(_HEADERS)
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._access.is_meant(request.host):
            raise web.HTTPMisdirectedRequest(reason="This page answers only to names of its own machine")
        open_to_all = request.path == "/login" or request.path.startswith("/static/")
        if open_to_all or self._is_let_in(request):
            return await handler(request)
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            raise web.HTTPSeeOther(URL("/login").with_query(to=request.path))
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})

    def _is_let_in(self, request: web.Request) -> bool:
        return self._access.allows(
            authorization=request.headers.get("Authorization", ""),
            session=request.cookies.get(SESSION_COOKIE, ""),
            now_s=time.monotonic(),
        )

    # Pages.

    async def overview(self, request: web.Request) -> web.Response:
        return self._live(request, "/")

    async def topic(self, request: web.Request) -> web.Response:
        return self._live(request, f"/topic/{request.match_info['topic']}")

    def _live(self, request: web.Request, path: str) -> web.Response:
        picture = self._watched.picture
        if picture is None:
            return self._say(request, "Looking at Kafka for the first time", status=503)
        is_overview = path == "/"
        return self._html(
            request,
            "live.html",
            picture=picture,
            page=self._page(path),
            path=path,
            title="tricast" if is_overview else path.removeprefix("/topic/"),
            overview=is_overview,
            parts=_PARTS,
            now_ms=self._now_ms(),
            icon=picture.state,
        )

    def _page(self, path: str) -> Page:
        """Return the sections of a page, rendered once a picture however many look at it.

        Raises:
            HTTPNotFound: There is no such page.
        """
        picture = self._watched.picture
        if picture is None:
            return {}
        if picture is not self._drawn_of:
            self._drawn_of, self._drawn = picture, {}
        if path not in self._drawn:
            self._drawn[path] = self._render(picture, path)
        return self._drawn[path]

    def _render(self, picture: Picture, path: str) -> Page:
        if path == "/":
            return self._sections.overview(picture)
        topic = _topic(picture, path.removeprefix("/topic/"))
        if topic is None and not picture.topics:  # Kafka is away and was never seen
            return {"verdict": self._sections.verdict(picture)}
        if topic is None:
            raise web.HTTPNotFound(reason="There is no such topic")
        return self._sections.topic(picture, topic)

    async def record(self, request: web.Request) -> web.Response:
        record = await self._read(request)
        return self._html(request, "record.html", record=record, icon=self._icon(), shown=shown(record))

    async def record_bytes(self, request: web.Request) -> web.Response:
        record = await self._read(request)
        name = f"{record.topic}-{record.partition}-{record.offset}.bin"
        return web.Response(
            body=record.value or b"",
            content_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _read(self, request: web.Request) -> Record:
        picture = self._watched.picture
        topic = None if picture is None else _topic(picture, request.match_info["topic"])
        if topic is None or topic.registry is None:  # other teams' records are none of this page's business
            raise web.HTTPNotFound(reason="There is no such topic of ours")
        try:
            record = await self._watched.record(
                topic.name, int(request.match_info["partition"]), int(request.match_info["offset"])
            )
        except TricastError as error:
            raise web.HTTPServiceUnavailable(reason=" ".join(error.message.split())) from error
        if record is None:
            raise web.HTTPNotFound(reason="There is no such record, or it is no longer kept")
        return record

    async def runbook(self, request: web.Request) -> web.Response:
        return self._html(request, "runbook.html", runbook=self._runbook, icon=self._icon())

    async def asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._assets:
            raise web.HTTPNotFound
        return web.Response(
            body=self._assets[name],
            content_type=_ASSETS[name],
            charset="utf-8",
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )

    # The stream.

    async def events(self, request: web.Request) -> web.StreamResponse:
        path = request.query.get("page", "/")
        self._page(path)  # a page that is not there is refused before a stream begins
        if len(self._streams) >= MOST_STREAMS:
            raise web.HTTPServiceUnavailable(reason="Too many pages follow already")
        response = web.StreamResponse(
            headers=_HEADERS
            | {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        stream = asyncio.create_task(self._stream(response, path))
        self._streams.add(stream)
        try:
            await asyncio.wait([stream])
        finally:
            stream.cancel()
            self._streams.discard(stream)
        return response

    async def _stream(self, response: web.StreamResponse, path: str) -> None:
        async for said in events(self._watched, lambda: self._page(path), self._now_ms):
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await response.write(said)

    async def close(self, _: web.Application) -> None:
        """End the streams: they would go on for ever."""
        for stream in self._streams:
            stream.cancel()

    # Signing in and out.

    async def login_form(self, request: web.Request) -> web.Response:
        if not self._access.asks:
            raise web.HTTPSeeOther("/")
        return self._html(request, "login.html", to=_own_path(request.query.get("to", "/")), refused=False)

    async def login(self, request: web.Request) -> web.Response:
        form = await request.post()
        to = _own_path(str(form.get("to", "/")))
        if not self._access.knows(str(form.get("token", ""))):
            response = self._html(request, "login.html", to=to, refused=True)
            response.set_status(403)
            return response
        response = web.Response(status=303, headers={"Location": to})
        session = self._access.sign_in(time.monotonic())
        response.set_cookie(
            SESSION_COOKIE, session, max_age=SESSION_S, httponly=True, samesite="Strict", secure=request.secure
        )
        return response

    async def logout(self, request: web.Request) -> web.Response:
        self._access.sign_out(request.cookies.get(SESSION_COOKIE, ""))
        response = web.Response(status=303, headers={"Location": "/login"})
        response.del_cookie(SESSION_COOKIE)
        return response

    # Answers.

    def _say(self, request: web.Request, said: str, *, status: int) -> web.Response:
        response = self._html(request, "said.html", said=said, more="", icon=self._icon())
        response.set_status(status)
        return response

    def _html(self, request: web.Request, template: str, **values: object) -> web.Response:
        theme = request.cookies.get("theme", "")
        html = self._templates.get_template(template).render(
            {"icon": "healthy"} | values,
            theme=theme if theme in _THEMES else "",
            version=self._version,
            signed_in=self._access.asks and SESSION_COOKIE in request.cookies,
        )
        response = web.Response(text=html, content_type="text/html")
        response.enable_compression()
        return response

    def _icon(self) -> str:
        picture = self._watched.picture
        return "down" if picture is None else picture.state


def _topic(picture: Picture, name: str) -> Topic | None:
    return next((topic for topic in picture.topics if topic.name == name), None)


def _own_path(path: str) -> str:
    """Return where to go after signing in: a path of this page, whatever was asked for."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
