#!/bin/sh
# The chart, rendered with a whole configuration of its user's; the gateway runs with the ConfigMap of the rendering.
#
#     chart.sh HELM CHART PROGRAM        with the variable FOLDER
set -e

mkdir -p "$FOLDER/chart"
# The chart has ports of its own; the gateway beside it here has any free ones.
sed 's/127.0.0.1:0/0.0.0.0:9080/; /^admin/d' "$FOLDER/portcullis.toml" > "$FOLDER/chart/values.toml"
sed -i '1i admin = "0.0.0.0:9081"' "$FOLDER/chart/values.toml"
"$1" template portcullis "$2" --set image.repository=portcullis --set-file config="$FOLDER/chart/values.toml" \
    --set networkPolicy.enabled=false > "$FOLDER/chart/rendered.yaml"
sed -n '/^  portcullis.toml: |/,/^---/p' "$FOLDER/chart/rendered.yaml" | sed '1d; /^---/d; s/^    //; s/0\.0\.0\.0:908[01]/127.0.0.1:0/' \
    > "$FOLDER/chart/portcullis.toml"
exec "$3" serve --config "$FOLDER/chart/portcullis.toml"
