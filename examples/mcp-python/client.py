"""An MCP client with the Python SDK: registers, logs in, calls a tool, and asks for more scope when it is told to.

    python client.py http://127.0.0.1:8000/mcp

The SDK discovers, registers, exchanges the code and steps up by itself; the user's part is to open a URL.
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

from mcp import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


class Memory(TokenStorage):
    """Keeps the tokens and the registration of this run."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Redirects:
    """Waits for redirects on a loopback port (RFC 8252 section 7.3)."""

    async def __aenter__(self):
        self.received = asyncio.Queue()
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/callback"
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\nConnection: close\r\n\r\nGo back to the client.")
        await writer.drain()
        writer.close()
        query = parse_qs(urlsplit(head.split(b" ", 2)[1].decode()).query)
        await self.received.put(AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss") if name in query}))


async def open_url(url):
    print(f"Open {url}", flush=True)


async def main(url):
    async with Redirects() as redirects:
        metadata = OAuthClientMetadata(
            client_name="The Python client of the example",
            redirect_uris=[redirects.url],
            token_endpoint_auth_method="none",
        )
        login = OAuthClientProvider(url, metadata, Memory(), open_url, redirects.received.get)
        async with create_mcp_http_client(auth=login) as http, Client(streamable_http_client(url, http_client=http)) as client:
            print("connected", flush=True)
            for name, arguments in [("list_files", {}), ("delete_file", {"name": "draft.txt"})]:
                result = await client.call_tool(name, arguments)
                print(f"{name}: {result.content[0].text.replace(chr(10), ', ')}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/mcp"))
