#!/bin/bash
# What Howdah asks of a server's machine (ha_agent): stop, rewind, copy, configure and start PostgreSQL there.
#
#   ha_agent: /etc/howdah/agent.sh
#
# It comes from Howdah with HOWDAH_ACTION, HOWDAH_SERVER (host:port), HOWDAH_DATA_DIRECTORY, HOWDAH_SOURCE (how to reach the
# new primary, with its password) and HOWDAH_SLOT. Where it has to do it, and how, is in $HOWDAH_AGENT_CONF, read by bash on
# Howdah's machine (/etc/howdah/agent.conf; no file: PostgreSQL is on this machine and runs as this user):
#
#   AGENT_SHELL="ssh -o BatchMode=yes postgres@%h"   # a shell there, as the owner of the data; %h = the server's host
#   AGENT_BIN=/usr/lib/postgresql/15/bin             # pg_ctl, pg_rewind, pg_basebackup, pg_controldata; else as PATH says
#   AGENT_DATA=/var/lib/postgresql/15/main           # where Howdah has never seen the server, and so does not know
#   AGENT_STOP="sudo -n systemctl stop postgresql@15-main"     # else pg_ctl; both run in a shell over there
#   AGENT_START="sudo -n systemctl start postgresql@15-main"
#   AGENT_LOG=/var/log/postgresql/howdah-start.log   # of pg_ctl start; else startup.log in the data directory
#   AGENT_FILES="conf.d server.key"                  # what else in the data directory belongs to the machine
#   AGENT_REWIND="user=rewinder password=..."        # what pg_rewind logs in with, where the replication role may not
#
# Safe to be called again at any time, also after it was killed: configuration files that belong to the machine are put aside
# (DATA.howdah-conf) before anything is changed, and put back; a data directory that cannot be rewound is moved aside
# (DATA.before-rejoin-<time>), never deleted; one order at a time works on a data directory (DATA.howdah-lock).
# shellcheck disable=SC2317
set -euo pipefail
settings=(AGENT_BIN AGENT_DATA AGENT_STOP AGENT_START AGENT_LOG AGENT_FILES AGENT_REWIND HOWDAH_ACTION HOWDAH_SERVER HOWDAH_DATA_DIRECTORY
          HOWDAH_SOURCE HOWDAH_SLOT)

if [[ -z ${AGENT_IS_THERE:-} ]]; then
    conf=${HOWDAH_AGENT_CONF:-/etc/howdah/agent.conf}
    # shellcheck source=/dev/null
    if [[ -e $conf ]]; then source "$conf"; fi
    host=${HOWDAH_SERVER%:*}
    read -ra shell <<< "${AGENT_SHELL:-env}"
    # By way of stdin: a command line shows passwords to everybody on the machine.
    {
        echo "AGENT_IS_THERE=yes"
        for name in "${settings[@]}"; do printf '%s=%q\n' "$name" "${!name:-}"; done
        cat "$0"
    } | "${shell[@]//%h/$host}" bash -s
    exit
fi

say() { echo "$*" >&2; }
die() { say "$*"; exit 1; }

data=${HOWDAH_DATA_DIRECTORY:-${AGENT_DATA:-}}
[[ -n $data ]] || die "where the data of $HOWDAH_SERVER is is not known: set AGENT_DATA"
kept=$data.howdah-conf
read -ra files <<< "postgresql.conf postgresql.auto.conf pg_hba.conf pg_ident.conf ${AGENT_FILES:-}"
if [[ -n ${AGENT_BIN:-} ]]; then PATH=$AGENT_BIN:$PATH; fi
# pg_ctl and the like read a program's stdin, which here is this script.
exec 3< /dev/null

# A Howdah that was killed may have left another order at work. PostgreSQL must not inherit the lock.
exec 9> "$data.howdah-lock"
flock -w 600 9 || die "another order for $HOWDAH_SERVER has been at work for ten minutes"

running() { pg_ctl status -D "$data" > /dev/null 2>&1 <&3; }

keep_configuration() {
    [[ -d $kept ]] && return
    rm -rf "$kept.new"
    mkdir -m 700 "$kept.new"
    for file in "${files[@]}"; do
        if [[ -e $data/$file ]]; then cp -a "$data/$file" "$kept.new/"; fi
    done
    mv "$kept.new" "$kept"
}

restore_configuration() {
    for file in "${files[@]}"; do
        if [[ -e $kept/$file ]]; then rm -rf "${data:?}/$file"; cp -a "$kept/$file" "$data/"; fi
    done
}

stop() {
    if running; then
        if [[ -n ${AGENT_STOP:-} ]]; then bash -c "$AGENT_STOP" <&3 >&2; else pg_ctl stop -m fast -w -t 600 -D "$data" <&3 >&2; fi
    fi
    if running; then die "$HOWDAH_SERVER still runs"; fi
    # The last line is the answer: how far it has written.
    if [[ -e $data/global/pg_control ]]; then
        { LC_ALL=C pg_controldata "$data" <&3 || true; } | sed -n 's/^Latest checkpoint location: *//p'
    fi
}

rewind() {
    if running; then die "$HOWDAH_SERVER runs: it cannot be rewound"; fi
    keep_configuration
    if pg_rewind --target-pgdata="$data" --source-server="$HOWDAH_SOURCE dbname=postgres ${AGENT_REWIND:-}" <&3 >&2; then
        restore_configuration
        return
    fi
    say "it cannot be rewound, so it is copied"
    copy
}

copy() {
    if running; then die "$HOWDAH_SERVER runs: it cannot be copied over"; fi
    keep_configuration
    local aside
    aside=$data.before-rejoin-$(date +%Y%m%d-%H%M%S)
    if [[ -e $data ]]; then mv "$data" "$aside"; say "what was there is in $aside: delete it when you do not need it"; fi
    local slot=()
    if [[ -n $HOWDAH_SLOT ]]; then slot=(-S "$HOWDAH_SLOT"); fi
    pg_basebackup -D "$data" -d "$HOWDAH_SOURCE" -X stream "${slot[@]}" --checkpoint=fast --no-password <&3 >&2
    restore_configuration
}

quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

configure() {
    keep_configuration
    touch "$data/standby.signal"
    local file=$data/postgresql.auto.conf
    {
        grep -Ev '^(primary_conninfo|primary_slot_name|synchronous_standby_names|default_transaction_read_only) *=' "$file" || true
        echo "primary_conninfo = $(quoted "$HOWDAH_SOURCE")"
        echo "primary_slot_name = $(quoted "$HOWDAH_SLOT")"
    } > "$file.new"
    chmod 600 "$file.new"
    mv "$file.new" "$file"
    rm -r "$kept"
}

start() {
    if running; then return; fi
    if [[ -n ${AGENT_START:-} ]]; then
        bash -c "$AGENT_START" <&3 >&2 9>&-
    else
        # It outlives this script, and must not keep its output open.
        pg_ctl start -w -t 600 -D "$data" -l "${AGENT_LOG:-$data/startup.log}" <&3 > /dev/null 2>&1 9>&- ||
            die "$HOWDAH_SERVER does not start: see ${AGENT_LOG:-$data/startup.log} there"
    fi
}

case $HOWDAH_ACTION in
    stop | rewind | copy | configure | start) "$HOWDAH_ACTION" ;;
    *) die "what is $HOWDAH_ACTION?" ;;
esac
exit
