#!/usr/bin/env bash
# A PostgreSQL primary with two streaming replicas on this machine, and Howdah in front of them.
set -euo pipefail

repo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=conf/packages.sh
source "$repo/conf/packages.sh"

usage() {
    cat <<'TEXT'
usage: conf/quickstart.sh [start|stop|clean|status|env]

  start    install what is missing (root), build, create the cluster, start everything, show it
           working; reuses whatever is already there (default)
  stop     stop Howdah and the three PostgreSQL servers; keeps the data
  clean    stop, and delete the state folder
  status   who is up, in which role, where; exit code 3 where something is down
  env      shell assignments for scripts: eval "$(conf/quickstart.sh env)"

Environment: HOWDAH_STATE  state folder (root: /var/lib/howdah-quickstart, else
                           $XDG_STATE_HOME/howdah-quickstart)
             HOWDAH_PORT   Howdah's port at the first start (6133); its admin port is the one below
             HOWDAH_BIN    a ready binary to run; nothing is built then
TEXT
}

address=127.0.0.1
nodes=(1 2 3)
if ((EUID == 0)); then
    state=${HOWDAH_STATE:-/var/lib/howdah-quickstart}
else
    state=${HOWDAH_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/howdah-quickstart}
fi
state=$(realpath -m "$state")
HOWDAH_BIN=${HOWDAH_BIN:+$(realpath -m "$HOWDAH_BIN")}
marker=$state/.howdah-quickstart
config=$state/howdah.yaml
howdah_log=$state/howdah.log
declare -A port

# --- who runs the servers -------------------------------------------------------------------------

as_user=() # prefix that runs a command as the unprivileged OS user
choose_os_user() {
    os_user=$(id -un)
    ((EUID == 0)) || return 0
    os_user=howdah
    if ! id howdah >/dev/null 2>&1 &&
        ! useradd --system --user-group --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin howdah 2>/dev/null; then
        os_user=postgres
    fi
    as_user=(setpriv "--reuid=$os_user" "--regid=$(id -g "$os_user")" --init-groups
        env "HOME=$state" "USER=$os_user")
}

# --- state folder ---------------------------------------------------------------------------------

node_dir() { echo "$state/pg$1"; }

port_is_busy() { (: <"/dev/tcp/$address/$1") 2>/dev/null; }

prepare_state() {
    ((${#state} <= 80)) || howdah_die "$state is too long a path for a unix socket: set HOWDAH_STATE"
    if [[ -d $state && ! -e $marker && -n $(ls -A "$state") ]]; then
        howdah_die "$state exists and was not made by this script: set HOWDAH_STATE"
    fi
    mkdir -p "$state"
    touch "$marker"
    mkdir -p "$state/run" "$state/bin" "$state/tls"
    chmod 700 "$state"
    ((EUID != 0)) || chown "$os_user:" "$state" "$state/run" "$state/tls"
    "${as_user[@]}" test -w "$state/run" ||
        howdah_die "user $os_user cannot enter $state: choose another folder with HOWDAH_STATE"
    if [[ ! -e $state/ports ]]; then
        local n candidate=15432
        for n in "${nodes[@]}"; do
            while port_is_busy "$candidate"; do candidate=$((candidate + 1)); done
            port[$n]=$candidate
            candidate=$((candidate + 1))
        done
        echo "${port[1]} ${port[2]} ${port[3]} ${HOWDAH_PORT:-6133}" >"$state/ports.new"
        mv "$state/ports.new" "$state/ports"
    fi
}

load_state() {
    [[ -e $marker && -e $state/ports ]] || return 1
    read -r 'port[1]' 'port[2]' 'port[3]' howdah_port <"$state/ports"
    pgbin=$(postgresql_bin)
}

make_certificates() {
    [[ -e $state/tls/server.crt ]] && return 0
    howdah_say "making a certificate authority and a server certificate for localhost"
    local dir=$state/tls
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
            -subj "/CN=Howdah quickstart CA" -addext keyUsage=critical,keyCertSign,cRLSign \
            -keyout "$dir/ca.key" -out "$dir/ca.crt"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
            -keyout "$dir/server.key" -out "$dir/server.csr"
        openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" \
            -CAcreateserial -days 3650 -out "$dir/server.crt.new" -extfile <(
                echo subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1
                echo extendedKeyUsage=serverAuth
            )
    } >"$dir/openssl.log" 2>&1 || howdah_die "openssl failed: see $dir/openssl.log"
    chmod 600 "$dir"/*.key
    ((EUID != 0)) || chown "$os_user:" "$dir"/*
    mv "$dir/server.crt.new" "$dir/server.crt"
}

# --- PostgreSQL -----------------------------------------------------------------------------------

write_node_settings() { # NODE FOLDER
    "${as_user[@]}" tee "$2/quickstart.conf" >/dev/null <<CONF
cluster_name = 'pg$1'
listen_addresses = '$address'
port = ${port[$1]}
unix_socket_directories = '$state/run'
max_connections = 100
wal_level = replica
wal_log_hints = on
hot_standby = on
max_wal_senders = 10
max_replication_slots = 10
max_slot_wal_keep_size = '4GB'
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = '$state/tls/server.crt'
ssl_key_file = '$state/tls/server.key'
CONF
}

create_primary() {
    local dir new
    dir=$(node_dir 1)
    [[ -d $dir ]] && return 0
    new=$dir.new
    howdah_say "creating the primary pg1 in $dir"
    rm -rf "$new"
    if [[ ! -e $state/superuser.password ]]; then
        (umask 077 && openssl rand -hex 16 >"$state/superuser.password")
        ((EUID != 0)) || chown "$os_user:" "$state/superuser.password"
    fi
    "${as_user[@]}" "$pgbin/initdb" -D "$new" -U postgres -E UTF8 --locale=C.UTF-8 \
        --data-checksums --auth=scram-sha-256 --pwfile="$state/superuser.password" >/dev/null
    echo "include_if_exists = 'quickstart.conf'" >>"$new/postgresql.conf"
    write_node_settings 1 "$new"
    cat >"$new/pg_hba.conf" <<'CONF'
local    all          postgres                  peer map=quickstart
local    all          all                       scram-sha-256
host     all          all        127.0.0.1/32   scram-sha-256
host     replication  replicator 127.0.0.1/32   scram-sha-256
CONF
    printf 'quickstart %s postgres\n' "$os_user" root >"$new/pg_ident.conf"
    mv "$new" "$dir"
}

# Roles, database, table and slots; each statement looks first, so that it may run again.
create_objects() {
    superuser_psql 1 postgres <<'SQL'
SELECT 'CREATE ROLE appuser LOGIN PASSWORD ''app_pass_2026'''
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'appuser') \gexec
SELECT 'CREATE ROLE monitor LOGIN PASSWORD ''monitor_pass_2026'' IN ROLE pg_monitor'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \gexec
SELECT 'CREATE ROLE replicator LOGIN REPLICATION PASSWORD ''repl_pass_2026'''
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replicator') \gexec
SELECT 'CREATE ROLE howdah_ha LOGIN REPLICATION PASSWORD ''ha_pass_2026'''
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'howdah_ha') \gexec
SELECT 'CREATE DATABASE appdb OWNER appuser'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'appdb') \gexec
GRANT CONNECT ON DATABASE appdb, postgres TO monitor;
-- What a failover needs: docs/high-availability.md.
GRANT pg_monitor, pg_signal_backend TO howdah_ha;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer), pg_catalog.pg_reload_conf()
 TO howdah_ha;
SELECT CASE WHEN current_setting('server_version_num')::int < 150000
 THEN 'ALTER ROLE howdah_ha SUPERUSER'
 ELSE 'GRANT pg_checkpoint TO howdah_ha; GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, '
  'primary_slot_name, synchronous_standby_names, default_transaction_read_only, '
  'wal_receiver_timeout TO howdah_ha' END \gexec
-- What pg_rewind needs, as replicator (REJOIN).
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean),
 pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean) TO replicator;
SELECT pg_create_physical_replication_slot(name, true) FROM unnest(ARRAY['pg2', 'pg3']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = name);
SQL
    superuser_psql 1 appdb <<'SQL'
SET client_min_messages = warning;
SET ROLE appuser;
CREATE TABLE IF NOT EXISTS public.replication_test (
    id serial PRIMARY KEY, message text, created_at timestamptz DEFAULT now());
SQL
}

superuser_psql() { # NODE DATABASE, statements on stdin
    "${as_user[@]}" "$pgbin/psql" -X -q -v ON_ERROR_STOP=1 -o /dev/null \
        -h "$state/run" -p "${port[$1]}" -U postgres -d "$2"
}

create_replica() { # NODE
    local dir new
    dir=$(node_dir "$1")
    [[ -d $dir ]] && return 0
    new=$dir.new
    howdah_say "creating the replica pg$1 in $dir"
    rm -rf "$new"
    "${as_user[@]}" env PGPASSWORD=repl_pass_2026 "$pgbin/pg_basebackup" -D "$new" -R -S "pg$1" \
        -X stream -c fast \
        -d "host=$address port=${port[1]} user=replicator application_name=pg$1"
    write_node_settings "$1" "$new"
    mv "$new" "$dir"
}

# Prints the pid of a node's running postmaster. A killed one may stay a zombie where pid 1 does
# not reap (containers), and would look alive to kill -0 and to PostgreSQL's own check.
node_pid() {
    local pid line
    read -r pid 2>/dev/null <"$(node_dir "$1")/postmaster.pid" || return 1
    line=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
    [[ $line == *"(postgres) "[!ZX]* ]] && echo "$pid"
}

drop_stale_locks() { # NODE, which is known to be down
    rm -f "$(node_dir "$1")/postmaster.pid" "$state/run/.s.PGSQL.${port[$1]}"{,.lock}
}

is_replica() { [[ -e $(node_dir "$1")/standby.signal ]]; }

# By the names in pg_wal: the control file learns of a promotion only at the next checkpoint.
timeline() {
    local name newest=1
    for name in "$(node_dir "$1")"/pg_wal/{*.history,????????????????????????}; do
        name=${name##*/}
        [[ ${name:0:8} =~ ^[0-9A-F]{8}$ ]] || continue
        if ((16#${name:0:8} > newest)); then newest=$((16#${name:0:8})); fi
    done
    echo "$newest"
}

start_node() { # NODE
    node_pid "$1" >/dev/null && return 0
    drop_stale_locks "$1"
    howdah_say "starting pg$1 on $address:${port[$1]}"
    "${as_user[@]}" "$pgbin/pg_ctl" -D "$(node_dir "$1")" -l "$state/pg$1.log" -t 60 -w \
        -o "-p ${port[$1]}" start >/dev/null || {
        tail -5 "$state/pg$1.log" >&2
        howdah_die "pg$1 did not start: see $state/pg$1.log"
    }
}

# After a failover two data folders claim to be a primary; only the newer timeline may run.
start_cluster() {
    local n primary=
    create_primary
    for n in "${nodes[@]}"; do
        [[ -d $(node_dir "$n") ]] || continue
        if is_replica "$n"; then continue; fi
        if [[ -z $primary ]] || (($(timeline "$n") > $(timeline "$primary"))); then primary=$n; fi
    done
    start_node "$primary"
    [[ $primary != 1 ]] || create_objects
    for n in "${nodes[@]}"; do
        [[ $n != "$primary" ]] || continue
        if [[ ! -d $(node_dir "$n") ]]; then
            [[ $primary == 1 ]] || continue
            create_replica "$n"
        elif ! is_replica "$n" && ! node_pid "$n" >/dev/null; then
            howdah_say "pg$n stays down: pg$primary was promoted after it (start over: $self clean)"
            continue
        fi
        start_node "$n"
    done
}

# --- Howdah ---------------------------------------------------------------------------------------

build() {
    [[ -z $HOWDAH_BIN ]] || return 0
    howdah_say "building (preset release)"
    (cd "$repo" && cmake --preset release >/dev/null) || howdah_die "cmake could not configure"
    cmake --build "$repo/build/release" --target howdah -j "$(nproc)" || howdah_die "build failed"
}

# The servers' user may not be able to enter the folder that the sources are in: run a copy.
install_binary() {
    local built=${HOWDAH_BIN:-$repo/build/release/proxy/howdah}
    [[ -x $built ]] || howdah_die "$built is not there"
    cmp -s "$built" "$state/bin/howdah" && return 0
    stop_howdah
    install -m 755 "$built" "$state/bin/howdah.new"
    mv "$state/bin/howdah.new" "$state/bin/howdah"
    chmod 755 "$state/bin"
}

write_config() {
    [[ -e $config ]] && return 0
    cat >"$config.new" <<YAML
# Written by conf/quickstart.sh; edit freely: it is kept until "quickstart.sh clean".
# Every option: conf/howdah.yaml. After a change: kill -HUP the howdah process.
variables:
  interfaces: ["$address:$howdah_port"]
  admin_pgsql_ifaces: ["$address:$((howdah_port - 1))"]
  admin_metrics_ifaces: ["$address:$((howdah_port - 63))"]
  ha_api_ifaces: ["$address:$((howdah_port - 3035))"]
  datadir: $state
  ssl_cert: $state/tls/server.crt
  ssl_key: $state/tls/server.key
  ssl_p2s_ca: $state/tls/ca.crt
  monitor_username: monitor
  monitor_password: monitor_pass_2026
  ha_username: howdah_ha
  ha_password: ha_pass_2026
  ha_agent: "env 'HOWDAH_AGENT_CONF=$state/agent.conf' '$state/bin/agent.sh'"

servers:
  - {hostgroup_id: 10, hostname: $address, port: ${port[1]}, max_connections: 80, comment: pg1}
  - {hostgroup_id: 20, hostname: $address, port: ${port[2]}, max_connections: 80, comment: pg2}
  - {hostgroup_id: 20, hostname: $address, port: ${port[3]}, max_connections: 80, comment: pg3}

replication_hostgroups:
  - {writer_hostgroup: 10, reader_hostgroup: 20, comment: quickstart}

users:
  - {username: appuser, password: app_pass_2026, default_hostgroup: 10}
YAML
    # How REJOIN makes a server that was replaced a standby again.
    printf 'AGENT_BIN=%q\nAGENT_FILES=quickstart.conf\n' "$pgbin" >"$state/agent.conf"
    install -m 755 "$repo/conf/agent.sh" "$state/bin/agent.sh"
    chmod 600 "$config.new"
    ((EUID != 0)) || chown "$os_user:" "$config.new"
    mv "$config.new" "$config"
}

howdah_pid() {
    local pid command
    pid=$(cat "$state/howdah.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    # The number may have gone to somebody else's process since.
    { IFS= read -r -d '' command <"/proc/$pid/cmdline"; } 2>/dev/null || return 1
    [[ $command == "$state/bin/howdah" ]] && echo "$pid"
}

start_howdah() {
    howdah_pid >/dev/null && return 0
    port_is_busy "$howdah_port" &&
        howdah_die "port $howdah_port is taken by another program (HOWDAH_PORT=... after a clean)"
    howdah_say "starting howdah on $address:$howdah_port"
    touch "$howdah_log"
    ((EUID != 0)) || chown "$os_user:" "$howdah_log"
    (
        cd "$state"
        ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
        exec "${as_user[@]}" setsid "$state/bin/howdah" --config "$config" \
            >>"$howdah_log" 2>&1 </dev/null
    ) &
    echo $! >"$state/howdah.pid"
    local i
    for ((i = 0; i < 150; i++)); do
        app_psql -c 'SELECT 1' >/dev/null 2>&1 && return 0
        kill -0 "$(cat "$state/howdah.pid")" 2>/dev/null || break
        sleep 0.2
    done
    app_psql -c 'SELECT 1' >/dev/null || true
    tail -20 "$howdah_log" >&2
    howdah_die "howdah answers no query: see $howdah_log"
}

stop_howdah() {
    local pid i
    pid=$(howdah_pid) || return 0
    howdah_say "stopping howdah (pid $pid)"
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < 200; i++)); do
        howdah_pid >/dev/null || break
        ((i == 100)) && kill -TERM "$pid" 2>/dev/null
        sleep 0.1
    done
    if howdah_pid >/dev/null; then kill -KILL "$pid"; fi
    rm -f "$state/howdah.pid"
}

app_psql() {
    PGPASSWORD=app_pass_2026 PGCONNECT_TIMEOUT=10 "$pgbin/psql" -X -h "$address" -p "$howdah_port" \
        -U appuser -d appdb -tA "$@"
}

node_of_port() {
    local n
    for n in "${nodes[@]}"; do [[ ${port[$n]} == "$1" ]] && echo "pg$n"; done
}

# --- commands -------------------------------------------------------------------------------------

show_routing() {
    local write="INSERT INTO replication_test (message) VALUES ('x') RETURNING id, inet_server_port()"
    local read="SELECT count(*), inet_server_port() FROM replication_test"
    local id at rows
    IFS='|' read -r id at < <(app_psql -q -c "$write")
    howdah_say "write: $write"
    echo "    id $id, answered by port $at = $(node_of_port "$at")"
    IFS='|' read -r rows at < <(app_psql -c "$read")
    howdah_say "read:  $read"
    echo "    $rows rows, answered by port $at = $(node_of_port "$at")"
}

start() {
    install_packages "${packages_build[@]}" "${packages_runtime[@]}"
    build
    choose_os_user
    prepare_state
    load_state
    make_certificates
    start_cluster
    install_binary
    write_config
    start_howdah
    show_routing
    cat <<TEXT

Howdah routes. Try it:
    PGPASSWORD=app_pass_2026 psql -h $address -p $howdah_port -U appuser -d appdb
    psql with TLS checked: add  "sslmode=verify-full sslrootcert=$state/tls/ca.crt"
Configuration $config, log $howdah_log
    $self status    who is up, in which role
    $self stop      stop all four processes
    $self clean     stop, and delete $state
TEXT
}

stop() {
    load_state || return 0
    choose_os_user
    stop_howdah
    local n
    for n in "${nodes[@]}"; do
        node_pid "$n" >/dev/null || continue
        howdah_say "stopping pg$n"
        "${as_user[@]}" "$pgbin/pg_ctl" -D "$(node_dir "$n")" -m fast -w -t 60 stop >/dev/null ||
            "${as_user[@]}" "$pgbin/pg_ctl" -D "$(node_dir "$n")" -m immediate -w stop >/dev/null
    done
}

clean() {
    [[ -e $marker ]] || return 0
    stop
    howdah_say "deleting $state"
    rm -rf "$state"
}

status() {
    load_state || { echo "nothing here: $state does not exist"; return 3; }
    choose_os_user
    local n pid role all_up=0 format='%-7s %-5s %-18s %-12s %s\n'
    if pid=$(howdah_pid); then
        # shellcheck disable=SC2059
        printf "$format" howdah up "$address:$howdah_port" "pid $pid" "log $howdah_log"
    else
        all_up=3
        # shellcheck disable=SC2059
        printf "$format" howdah down "$address:$howdah_port" - "log $howdah_log"
    fi
    for n in "${nodes[@]}"; do
        if pid=$(node_pid "$n"); then
            role=$(node_role "$n" 2>/dev/null || echo "does not answer")
            # shellcheck disable=SC2059
            printf "$format" "pg$n" up "$address:${port[$n]}" "pid $pid" "$role"
        else
            all_up=3
            # shellcheck disable=SC2059
            printf "$format" "pg$n" down "$address:${port[$n]}" - "log $state/pg$n.log"
        fi
    done
    return "$all_up"
}

node_role() {
    "${as_user[@]}" env PGCONNECT_TIMEOUT=5 "$pgbin/psql" -X -tA -h "$state/run" -p "${port[$1]}" \
        -U postgres -d postgres <<'SQL'
SELECT CASE WHEN NOT pg_is_in_recovery()
    THEN 'primary, ' || (SELECT count(*) FROM pg_stat_replication) || ' replicas stream from it'
    ELSE coalesce((SELECT 'replica of ' || sender_host || ':' || sender_port || ', ' || status || ', '
                          || pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn())
                          || ' bytes to replay' FROM pg_stat_wal_receiver),
                  'replica, receives nothing') END
SQL
}

print_env() {
    load_state || howdah_die "nothing here yet: run $self start"
    choose_os_user
    local n
    for n in "${nodes[@]}"; do
        printf 'PG%s=%s:%s\nPGDATA%s=%q\n' "$n" "$address" "${port[$n]}" "$n" "$(node_dir "$n")"
    done
    printf 'STATE=%q\nHOWDAH_PID=%s\nHOWDAH_PORT=%s\nHOWDAH_LOG=%q\nPGBIN=%q\nOS_USER=%q\n' \
        "$state" "$(howdah_pid || true)" "$howdah_port" "$howdah_log" "$pgbin" "$os_user"
}

# The servers' user may not be able to enter the caller's folder.
self=$repo/conf/quickstart.sh
cd /
case ${1:-start} in
start) start ;;
stop) stop ;;
clean) clean ;;
status) status ;;
env) print_env ;;
-h | --help | help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
