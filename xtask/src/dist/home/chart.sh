#!/bin/sh
# The chart, rendered with a whole configuration of its user's; the gateway runs with the ConfigMap of the rendering.
#
#     chart.sh start HELM CHART PROGRAM | reload HELM CHART        with the variables FOLDER, and PID of `start`
set -e

place="$FOLDER/chart"
mkdir -p "$place"

# The chart has ports of its own; the gateway here has any free ones.
sed 's/^listen = .*/listen = "0.0.0.0:9080"/; s/^admin = .*/admin = "0.0.0.0:9081"/' "$FOLDER/portcullis.toml" > "$place/values.toml"
"$2" template portcullis "$3" --set image.repository=portcullis --set-file config="$place/values.toml" \
    --set networkPolicy.enabled=false > "$place/rendered.yaml"
sed -n '/^  portcullis.toml: |/,/^---/p' "$place/rendered.yaml" |
    sed '1d; /^---/d; s/^    //; s/0\.0\.0\.0:908[01]/127.0.0.1:0/' > "$place/new"
mv "$place/new" "$place/portcullis.toml"

case $1 in
start) exec "$4" serve --config "$place/portcullis.toml" ;;
reload) kill -HUP "$PID" ;;
esac
