#!/bin/sh
# Starts FastMCP, the gateway and Caddy, and ends them together.
cd "$(dirname "$0")" || exit
trap 'kill $programs 2>/dev/null; wait; exit' INT TERM
python server.py 8001 & programs=$!
portcullis serve --config portcullis.toml & programs="$programs $!"
caddy run --config Caddyfile & programs="$programs $!"
wait
