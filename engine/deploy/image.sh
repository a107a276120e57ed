#!/bin/sh
# Makes a container image of sdc-engine: the release binary with images/, scenarios/ and golden/.
#
#   engine/deploy/image.sh [--carry IMAGE]… [--bootstrap] [--output FILE] TAG
#
# --carry IMAGE   packs in an image of images/ that this machine has bootstrapped (`sdc-engine images build IMAGE`), so that a
#                 node needs neither a registry nor mmdebstrap to have it
# --bootstrap     builds on Debian's packages (mmdebstrap) instead of debian:12-slim of a registry
# --output FILE   writes the image as a file for `docker load` instead of leaving it in the engine. Without --bootstrap the
#                 engine has it as well.
#
# DOCKER_HOST and the docker context say which engine. Needs `make build` before.
set -eu

repo=$(cd "$(dirname "$0")/../.." && pwd)
binary=${SDC_BINARY:-$repo/target/release/sdc-engine}
carry= bootstrap= output= tag=
while [ $# -gt 0 ]; do
    case $1 in
        --carry) carry="$carry ${2:?the name of an image}"; shift ;;
        --bootstrap) bootstrap=yes ;;
        --output) output=${2:?a file}; shift ;;
        -*) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
        *) tag=$1 ;;
    esac
    shift
done
[ -n "$tag" ] || { echo "image.sh: what is it to be called? image.sh TAG" >&2; exit 2; }
[ -x "$binary" ] || { echo "image.sh: there is no $binary: make build" >&2; exit 3; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
chmod 755 "$work"

# What is the same for both ways.
tree=$work/tree
mkdir -p "$tree/usr/local/bin" "$tree/sdc-engine" "$tree/var/cache/sdc-engine/images"
cp "$binary" "$tree/usr/local/bin/sdc-engine"
cp "$repo/engine/deploy/share.sh" "$tree/usr/local/bin/sdc-share"
chmod 755 "$tree/usr/local/bin/sdc-engine" "$tree/usr/local/bin/sdc-share"
cp -R "$repo/images" "$repo/scenarios" "$repo/golden" "$repo/LICENSE" "$tree/sdc-engine/"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sdc-engine/images
for image in $carry; do
    kept=$(ls -t "$cache/$image"-[0-9a-f]*.tar 2>/dev/null | head -n 1)
    [ -n "$kept" ] || { echo "image.sh: $cache has no root file system of $image: sdc-engine images build $image" >&2; exit 3; }
    cp "$kept" "$tree/var/cache/sdc-engine/images/"
done
cp "$repo/engine/deploy/Dockerfile" "$work/Dockerfile"

if [ -z "$bootstrap" ]; then
    docker build --quiet --tag "$tag" "$work"
else
    # The settings of the Dockerfile, one --change each.
    set --
    while read -r setting rest; do
        case $setting in WORKDIR | ENV | ENTRYPOINT | CMD) set -- "$@" --change "$setting $rest" ;; esac
    done <"$work/Dockerfile"
    mmdebstrap --quiet --variant=essential --include=libgcc-s1 \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf"' \
        --customize-hook="cp -R '$tree/.' \"\$1/\"" \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work/root.tar"
    docker import "$@" "$work/root.tar" "$tag"
fi
[ -z "$output" ] || docker save --output "$output" "$tag"
