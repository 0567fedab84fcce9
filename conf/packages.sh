# shellcheck shell=bash disable=SC2034
# The Debian 12 packages that Howdah needs, and their installer. Sourced by conf/quickstart.sh,
# tests/run.sh and .ci/run; root is needed only where something is missing.

packages_build=(
    build-essential g++ cmake ninja-build ccache pkg-config
    libboost1.81-dev libboost-context1.81-dev libboost-system1.81-dev
    libssl-dev libpq-dev libyaml-cpp-dev libfmt-dev libspdlog-dev libpg-query-dev
    libprotobuf-c-dev libre2-dev libcli11-dev libsqlite3-dev prometheus-cpp-dev
    nlohmann-json3-dev
)
packages_runtime=(postgresql postgresql-contrib openssl util-linux procps)
packages_unit=(libgtest-dev libgmock-dev)
packages_integration=(
    iproute2 mount python3 python3-pytest python3-pytest-xdist python3-psycopg python3-psycopg-pool python3-psycopg2 python3-asyncpg
    python3-sqlalchemy python3-greenlet python3-django libpostgresql-jdbc-java
    libpqxx-dev golang-go golang-github-jackc-pgx-v4-dev prometheus etcd-server
)
packages_bench=(libbenchmark-dev)
packages_check=(clang-format clang-tidy git python3)

howdah_say() { printf '==> %s\n' "$*"; }
howdah_die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# missing_packages NAME...: prints those that are not installed.
missing_packages() {
    local name
    for name in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || echo "$name"
    done
}

apt_refreshed=
# install_packages NAME...: installs what is missing; silent and without root where nothing is.
install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || howdah_die "these packages are missing, and installing them needs root:" \
        "apt-get install ${missing[*]}"
    howdah_say "installing ${#missing[@]} packages: ${missing[*]}"
    keep_debian_from_creating_a_cluster
    if [[ -z $apt_refreshed ]]; then
        apt-get update -qq || howdah_die "apt-get update failed"
        apt_refreshed=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null ||
        howdah_die "apt-get could not install: ${missing[*]}"
}

# Debian's package starts a cluster of its own on 5432; nobody here needs it. The setting is made
# only before the first installation, so that a machine that already runs PostgreSQL is left alone.
keep_debian_from_creating_a_cluster() {
    [[ -e /etc/postgresql-common/createcluster.conf || -d /etc/postgresql ]] && return 0
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/howdah.conf
}

# Java and Node.js may come from elsewhere (another JDK, NodeSource), so commands are looked for
# and not packages. Sets node_path, the folder to put into NODE_PATH.
node_path=/usr/share/nodejs
install_java_and_node() { # CACHE_FOLDER
    command -v javac >/dev/null || install_packages default-jdk-headless
    command -v node >/dev/null || install_packages nodejs
    [[ -e /usr/share/nodejs/pg/package.json ]] && return 0
    if [[ $(dpkg-query -W -f='${Version}' nodejs 2>/dev/null) != *nodesource* ]]; then
        install_packages node-pg
        return 0
    fi
    # NodeSource's nodejs conflicts with what node-pg depends on: unpack Debian's files instead.
    local folder=$1/node-pg package
    if [[ ! -e $folder/usr/share/nodejs/pg/package.json ]]; then
        mkdir -p "$folder"
        (
            cd "$folder" || exit 1
            apt-get download -qq node-pg node-split2 node-xtend node-readable-stream \
                2>/dev/null || { apt-get update -qq && apt-get download -qq node-pg node-split2 \
                node-xtend node-readable-stream 2>/dev/null; }
            for package in ./*.deb; do dpkg-deb -x "$package" .; done
        ) || howdah_die "could not unpack Debian's node-pg"
    fi
    node_path=$folder/usr/share/nodejs
}

# postgres.js is not in Debian: this release of it, from the npm registry, is added to node_path.
postgres_js=postgres@3.4.9
install_postgres_js() { # CACHE_FOLDER
    local folder=$1/postgres-js
    if [[ ! -e $folder/postgres/package.json ]]; then
        command -v npm >/dev/null || install_packages npm
        mkdir -p "$folder"
        (
            cd "$folder" || exit 1
            npm pack --silent "$postgres_js" >/dev/null && tar -xzf postgres-*.tgz && mv package postgres
        ) || howdah_die "could not get $postgres_js from the npm registry"
    fi
    node_path=$node_path:$folder
}

# Where Debian keeps initdb, postgres and pg_ctl: newest version that is installed.
postgresql_bin() {
    local folder
    folder=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -1)
    [[ -x $folder ]] || howdah_die "no PostgreSQL under /usr/lib/postgresql"
    dirname "$folder"
}
