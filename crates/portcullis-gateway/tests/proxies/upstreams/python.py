"""Three ways of Python: http.server, Werkzeug (WSGI) and Starlette (ASGI). Arguments: a port for each."""

import posixpath
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response


class Plain(BaseHTTPRequestHandler):
    """The path as `http.server` finds files by it."""

    def do_GET(self):
        path = urllib.parse.unquote(self.path.split("?", 1)[0].split("#", 1)[0])
        body = posixpath.normpath(path).replace("//", "/", 1).encode("utf-8", "surrogateescape")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


PARTS = Map([Rule(f"/{part}/<path:rest>", endpoint=f"/{part}") for part in ("admin", "public")])


def wsgi(environ, start_response):
    try:
        endpoint, _ = PARTS.bind_to_environ(environ).match()
        return Response(endpoint)(environ, start_response)
    except HTTPException as error:
        return error.get_response()(environ, start_response)


def part(name):
    async def answer(_):
        return PlainTextResponse(name)

    return Route(f"{name}/{{rest:path}}", answer)


plain, werkzeug, starlette = map(int, sys.argv[1:])
servers = [ThreadingHTTPServer(("127.0.0.1", plain), Plain), make_server("127.0.0.1", werkzeug, wsgi, handler_class=Quiet)]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
uvicorn.run(Starlette(routes=[part("/admin"), part("/public")]), port=starlette, log_level="error")
