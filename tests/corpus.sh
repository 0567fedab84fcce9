#!/usr/bin/env bash
# Fetches PostgreSQL's own test SQL (src/test/regress/sql and the others of its source package, some
# 500 files) from Debian and prints the folder, for the tests of digests:
#   HOWDAH_SQL_CORPUS=$(tests/corpus.sh) build/dev/tests/unit_sql --gtest_filter='digests.*'
set -euo pipefail

folder=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)/build/sql-corpus
if [[ ! -d $folder ]]; then
    # shellcheck source=/dev/null
    . /etc/os-release
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work"
    mkdir -p "$work/lists/partial" "$work/sql"
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
        "http://deb.debian.org/debian $VERSION_CODENAME main" >"$work/sources.list"
    options=(-qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$work/lists")
    cd "$work"
    {
        apt-get "${options[@]}" update
        package=postgresql-15
        apt-get "${options[@]}" source --download-only "$package"
        tar -xf "$package"_*.orig.tar.* -C sql --wildcards '*/sql/*.sql'
    } >&2
    mkdir -p "${folder%/*}"
    mv sql "$folder"
fi
echo "$folder"
