#!/bin/sh
# Starts FastMCP, the gateway and Caddy; when one of them ends, or by Ctrl-C, all end.
cd "$(dirname "$0")" || exit
trap 'kill $programs 2>/dev/null; wait' EXIT
trap 'exit 1' INT TERM
python server.py 8001 & programs=$!
portcullis serve --config portcullis.toml & programs="$programs $!"
caddy run --config Caddyfile & programs="$programs $!"
while kill -0 $programs 2>/dev/null; do sleep 1; done
exit 1
