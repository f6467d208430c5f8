#!/bin/sh
# The package of Debian, installed on a machine with systemd, which starts the unit with all its restrictions.
#
#     systemd.sh start PACKAGE | reload | stop        with the variables FOLDER, and PID of `start`
set -e

here=$(dirname "$0")
boot='
    dpkg --install "$1" >&2
    install -o root -g portcullis -m 640 "$FOLDER/portcullis.toml" /etc/portcullis/
    # Nothing else of this machine starts.
    rm -rf /etc/systemd/system
    mkdir -p /etc/systemd/system/portcullis.service.d
    cd /etc/systemd/system
    printf "[Unit]\n" | tee sysinit.target basic.target network-online.target > /dev/null
    printf "[Service]\nStandardError=file:%s/log\n" "$FOLDER" > portcullis.service.d/log.conf
    printf "[Unit]\nWants=portcullis.service\n" > guest.target
    : > "$FOLDER/log"
    tail --follow "$FOLDER/log" >&2 &
    exec /lib/systemd/systemd --unit=guest.target --log-target=null
'

# Runs a command in the machine.
inside() {
    init=$(pgrep --parent "$PID" | head -n 1)
    nsenter --target "$init" --mount --pid --root --wdns=/ env FOLDER="$FOLDER" "$@"
}

case $1 in
start)
    exec sh "$here/guest.sh" sh -e -c "$boot" boot "$2"
    ;;
reload)
    inside sh -e -c 'cp "$FOLDER/portcullis.toml" /etc/portcullis/portcullis.toml && systemctl reload portcullis'
    ;;
stop)
    inside systemctl stop portcullis
    # Told by its signal, it has ended by itself, within the time that the unit gives it.
    inside systemctl show --property=Result portcullis | grep -qx Result=success
    kill -KILL "$PID"
    ;;
esac
