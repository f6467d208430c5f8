#!/bin/sh
# The life of the package of Debian: installed, upgraded, removed, installed again and purged.
#
#     package.sh PACKAGE
set -e

fail() {
    echo "$1" >&2
    exit 1
}

configuration=/etc/portcullis/portcullis.toml

dpkg --install "$1"
portcullis --version
getent passwd portcullis > /dev/null || fail "expected the user portcullis after the installation, got none"
[ "$(stat -c '%U:%G %a' $configuration)" = "root:portcullis 640" ] ||
    fail "expected $configuration to be read by the group portcullis alone, got $(stat -c '%U:%G %a' $configuration)"
su -s /bin/sh portcullis -c "cat $configuration" > /dev/null || fail "expected $configuration to be readable by its service"

echo "# of the administrator" >> $configuration
touch /etc/portcullis/client-secret
dpkg --install "$1"
grep -q "of the administrator" $configuration || fail "expected the upgrade to keep the configuration, got another one"

dpkg --remove portcullis
[ ! -e /usr/bin/portcullis ] || fail "expected no program after the removal, got one"
grep -q "of the administrator" $configuration || fail "expected the removal to keep the configuration, got another one"

dpkg --install "$1"
grep -q "of the administrator" $configuration || fail "expected the configuration of before, got another one"

dpkg --purge portcullis
[ ! -e $configuration ] || fail "expected no configuration after the purge, got one"
[ -e /etc/portcullis/client-secret ] || fail "expected the purge to leave the administrator's own files, got none"
getent group portcullis > /dev/null || fail "expected the purge to keep the group, which owns files that stay, got none"
dpkg --purge portcullis

# An account by another hand, without a group of its name.
deluser --quiet --system portcullis
useradd --system --no-user-group --gid nogroup portcullis
dpkg --install "$1"
[ "$(stat -c '%U:%G %a' $configuration)" = "root:portcullis 640" ] ||
    fail "expected $configuration to be read by the group portcullis alone, got $(stat -c '%U:%G %a' $configuration)"
dpkg --purge portcullis

# A folder that is another account's, with a link to a file that it must not read.
chown portcullis /etc/portcullis
ln -s /etc/shadow $configuration
before=$(stat -c '%U:%G %a' /etc/shadow)
dpkg --install --force-confold "$1"
[ "$(stat -c '%U:%G %a' /etc/shadow)" = "$before" ] ||
    fail "expected links to be left alone, got $(stat -c '%U:%G %a' /etc/shadow) for /etc/shadow"
