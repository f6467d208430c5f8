"""An MCP server with FastMCP: two tools for files in memory, and nothing about tokens. The gateway guards it.

    python server.py 8001
"""

import sys

from fastmcp import FastMCP

server = FastMCP("files", version="1.0.0")
files = {"notes.txt", "draft.txt"}


@server.tool
def list_files() -> str:
    """Lists the files."""
    return "\n".join(sorted(files))


@server.tool
def delete_file(name: str) -> str:
    """Deletes a file."""
    if name not in files:
        return f"there is no {name}"
    files.remove(name)
    return f"deleted {name}"


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8001
    server.run("http", host="127.0.0.1", port=port, path="/mcp", stateless_http=True, show_banner=False)
