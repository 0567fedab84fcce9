"""Several servers accept writes, or one that is not of the cluster answers."""
import shutil

import pytest
from howdah_test.acknowledged import Writers
from howdah_test.cluster import BIN
from howdah_test.recovery import admin, at, is_writable, readers
from howdah_test.wait import wait_until

pytestmark = pytest.mark.needs_howdah


def test_a_standby_that_somebody_promotes_gets_no_clients_even_from_a_restarted_howdah(network_cluster, automatic):
    howdah = automatic(network_cluster)
    primary, second, third = network_cluster.nodes
    with Writers(howdah) as writers:
        second.promote()
        howdah.wait_for_log("SplitBrain")
        wait_until(lambda: readers(howdah) == {third.port}, 30, "it gets no reads")
        before = len(howdah.log_text())
        howdah.kill9()
        howdah.start()
        howdah.wait_for_log(f"{at(second)}.* kept out", after=before)
        writers.wait_for_rows(port=primary.port)
        assert readers(howdah) == {third.port}
    writers.check_nothing_lost(primary)
    assert {row.port for row in writers.rows} == {primary.port}


def test_of_two_servers_that_were_promoted_to_one_timeline_none_writes_until_somebody_decides(
        network_cluster, automatic):
    howdah = automatic(network_cluster, ha_mode="manual")
    primary, second, third = network_cluster.nodes
    with Writers(howdah) as writers:
        primary.kill9()
        howdah.wait_for_log("No failover: ha_mode is manual")
        howdah.kill9()
        second.promote()
        third.promote()
        howdah.start()
        howdah.wait_for_log("accept writes and nothing says which of them is right")
        assert {row.port for row in writers.rows} == {primary.port}
        admin(howdah, f"ADOPT {at(third)}")
        writers.wait_for_rows(port=third.port)
    assert {row.port for row in writers.rows} == {primary.port, third.port}


def test_a_different_cluster_at_the_address_of_a_standby_gets_no_clients(network_cluster, automatic):
    howdah = automatic(network_cluster)
    primary, second, third = network_cluster.nodes
    third.stop()
    own = (third.data / "postgresql.conf").read_text(), (third.data / "pg_hba.conf").read_text()
    password = network_cluster.folder / "password"
    password.write_text("super_pass")
    network_cluster.os_user.own(password)
    shutil.rmtree(third.data)
    network_cluster.os_user.run(BIN / "initdb", "-D", third.data, "-U", "postgres", "--no-sync",
                                "--auth=scram-sha-256", f"--pwfile={password}", "--wal-segsize=4")
    for name, text in zip(("postgresql.conf", "pg_hba.conf"), own):
        (third.data / name).write_text(text)
    third.configure()
    third.start()
    third.query("CREATE ROLE howdah_ha LOGIN PASSWORD 'ha_pass_2026'; GRANT pg_monitor TO howdah_ha; "
                "CREATE ROLE monitor LOGIN PASSWORD 'monitor_pass_2026'; GRANT pg_monitor TO monitor")
    howdah.wait_for_log(rf"Detected ForeignServer on {at(third)}")
    with Writers(howdah) as writers:
        assert readers(howdah) == {second.port}
        primary.kill9()
        howdah.wait_for_log(rf"Promoted: {at(second)}")
        writers.wait_for_rows(port=second.port)
    assert {row.port for row in writers.rows} == {primary.port, second.port}
    assert not is_writable(primary) if primary.is_running() else True
    writers.check_one_writer_at_a_time()
