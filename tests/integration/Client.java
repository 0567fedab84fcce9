import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.CRC32;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** The PgJDBC side of test_jdbc.py: runs the check that is named by the first argument. */
public class Client {
    static String url, user, password;
    static Map<String, String> more = new TreeMap<>();

    interface Check { void run() throws Exception; }

    static Connection connect(String... changes) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("sslmode", "disable");
        for (int i = 0; i < changes.length; i += 2) properties.setProperty(changes[i], changes[i + 1]);
        return DriverManager.getConnection(url, properties);
    }

    static void expect(Object actual, Object wanted) {
        if (!Objects.equals(actual, wanted))
            throw new AssertionError("got <" + actual + ">, wanted <" + wanted + ">");
    }

    static Object one(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
            r.next();
            return r.getObject(1);
        }
    }

    static void run(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement()) {
            s.execute(sql);
        }
    }

    static PSQLException failure(Check check) throws Exception {
        try {
            check.run();
        } catch (PSQLException error) {
            return error;
        }
        throw new AssertionError("no error");
    }

    static void login() throws Exception {
        try (Connection c = connect()) {
            expect(one(c, "SELECT current_user::text"), "appuser");
        }
        try (Connection c = connect("sslmode", "verify-full", "sslrootcert", more.get("ca"))) {
            expect(one(c, "SELECT 1"), 1);
        }
        expect(failure(() -> connect("password", "wrong")).getSQLState(), "28P01");
        expect(failure(() -> connect("user", "nobody_at_all")).getSQLState(), "28P01");
    }

    static void prepared() throws Exception {
        try (Connection c = connect("prepareThreshold", "1")) {
            List<PreparedStatement> statements = new ArrayList<>();
            for (int i = 0; i < 100; i++) statements.add(c.prepareStatement("SELECT ?::int + " + i));
            c.setAutoCommit(false);
            for (int turn = 0; turn < 5; turn++) {
                for (int i = 0; i < statements.size(); i++) {
                    statements.get(i).setInt(1, turn);
                    try (ResultSet r = statements.get(i).executeQuery()) {
                        r.next();
                        expect(r.getInt(1), turn + i);
                    }
                    c.commit();
                }
            }
        }
    }

    static void batch() throws Exception {
        String table = more.get("table");
        try (Connection c = connect()) {
            run(c, "CREATE TABLE " + table + " (id int PRIMARY KEY, v text)");
            try (PreparedStatement s = c.prepareStatement("INSERT INTO " + table + " VALUES (?, ?)")) {
                for (int i = 0; i < 5000; i++) {
                    s.setInt(1, i);
                    s.setString(2, "v" + i);
                    s.addBatch();
                }
                int[] counts = s.executeBatch();
                expect(counts.length, 5000);
                for (int count : counts) expect(count, 1);
                for (int i = 4999; i < 5100; i++) {
                    s.setInt(1, i);
                    s.setString(2, "again");
                    s.addBatch();
                }
                try {
                    s.executeBatch();
                    throw new AssertionError("no error");
                } catch (BatchUpdateException error) {
                    expect(error.getSQLState(), "23505");
                }
            }
            c.setAutoCommit(false);
            run(c, "DELETE FROM " + table + " WHERE id < 0");
            expect(one(c, "SELECT max(id) FROM " + table), 4999);
            c.commit();
            c.setAutoCommit(true);
            run(c, "DROP TABLE " + table);
        }
    }

    static void transactions() throws Exception {
        String table = more.get("table");
        try (Connection c = connect()) {
            run(c, "CREATE TABLE " + table + " (id int PRIMARY KEY)");
            c.setAutoCommit(false);
            run(c, "INSERT INTO " + table + " VALUES (1)");
            Savepoint point = c.setSavepoint("point");
            expect(failure(() -> run(c, "INSERT INTO " + table + " VALUES (1)")).getSQLState(), "23505");
            expect(failure(() -> run(c, "SELECT 1")).getSQLState(), "25P02");
            c.rollback(point);
            run(c, "INSERT INTO " + table + " VALUES (2)");
            c.commit();
            run(c, "INSERT INTO " + table + " VALUES (3)");
            c.rollback();
            run(c, "UPDATE " + table + " SET id = id");
            expect(one(c, "SELECT count(*) FROM " + table), 2L);
            c.commit();
            c.setReadOnly(true);
            expect(one(c, "SHOW transaction_read_only"), "on");
            expect(failure(() -> run(c, "CREATE TABLE never (id int)")).getSQLState(), "25006");
            c.rollback();
            c.setReadOnly(false);
            c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            expect(one(c, "SHOW transaction_isolation"), "serializable");
            run(c, "DROP TABLE " + table);
            c.commit();
        }
    }

    static void copy() throws Exception {
        String table = more.get("table");
        try (Connection c = connect()) {
            run(c, "CREATE TABLE " + table + " (id int, v text)");
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < 50000; i++) lines.append(i).append("\tline ").append(i).append('\n');
            byte[] data = lines.toString().getBytes(StandardCharsets.UTF_8);
            CopyManager manager = c.unwrap(PGConnection.class).getCopyAPI();
            expect(manager.copyIn("COPY " + table + " FROM STDIN", new ByteArrayInputStream(data)), 50000L);
            c.setAutoCommit(false);
            run(c, "DELETE FROM " + table + " WHERE id < 0");
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            manager.copyOut("COPY (SELECT * FROM " + table + " ORDER BY id) TO STDOUT", out);
            expect(Arrays.equals(out.toByteArray(), data), true);
            run(c, "DROP TABLE " + table);
            c.commit();
        }
    }

    static void cancel() throws Exception {
        try (Connection c = connect(); Statement s = c.createStatement()) {
            Thread canceller = new Thread(() -> {
                try {
                    System.in.read(); // the test has seen the statement run
                    s.cancel();
                } catch (Exception error) {
                    error.printStackTrace();
                }
            });
            canceller.start();
            String sql = "SELECT pg_sleep(100) /* jdbc cancel */";
            expect(failure(() -> s.executeQuery(sql)).getSQLState(), "57014");
            canceller.join();
            expect(one(c, "SELECT 1"), 1);
        }
    }

    static void big() throws Exception {
        CRC32 checksum = new CRC32();
        long size = 0, rows = 0;
        try (Connection c = connect()) {
            c.setAutoCommit(false);
            try (Statement s = c.createStatement()) {
                s.setFetchSize(500);
                try (ResultSet r = s.executeQuery(more.get("sql"))) {
                    while (r.next()) {
                        byte[] row = r.getBytes(1);
                        checksum.update(row);
                        size += row.length;
                        rows++;
                    }
                }
            }
            c.commit();
        }
        System.out.println(rows + " " + size + " " + checksum.getValue());
    }

    static void parameter() throws Exception {
        byte[] data = new byte[10 << 20];
        new Random(1).nextBytes(data);
        try (Connection c = connect(); PreparedStatement s = c.prepareStatement("SELECT ?::bytea")) {
            s.setBytes(1, data);
            try (ResultSet r = s.executeQuery()) {
                r.next();
                expect(Arrays.equals(r.getBytes(1), data), true);
            }
        }
    }

    static void errors() throws Exception {
        try (Connection c = connect()) {
            ServerErrorMessage error = failure(() -> run(c, more.get("error"))).getServerErrorMessage();
            expect(error.getSQLState(), "HW001");
            expect(error.getSeverity(), "ERROR");
            expect(error.getMessage(), "the message");
            expect(error.getDetail(), "the detail");
            expect(error.getHint(), "the hint");
            expect(error.getSchema(), "the schema");
            expect(error.getTable(), "the table");
            expect(error.getColumn(), "the column");
            expect(error.getDatatype(), "the type");
            expect(error.getConstraint(), "the constraint");
            expect(failure(() -> run(c, "SELECT * FROM no_such_table")).getServerErrorMessage().getPosition(), 15);
            try (Statement s = c.createStatement()) {
                s.execute(more.get("notice"));
                expect(s.getWarnings().getSQLState(), "HW001");
                expect(s.getWarnings().getMessage(), "the message");
            }
        }
    }

    static void settings() throws Exception {
        try (Connection one = connect("options", "-c lock_timeout=8s"); Connection other = connect()) {
            run(one, "SET search_path = pg_catalog");
            one.setClientInfo("ApplicationName", "one");
            for (int i = 0; i < 5; i++) {
                expect(one(one, "SHOW search_path"), "pg_catalog");
                expect(one(one, "SHOW lock_timeout"), "8s");
                expect(one(one, "SHOW application_name"), "one");
                expect(one(other, "SHOW lock_timeout"), "0");
                expect(one(other, "SHOW application_name"), "PostgreSQL JDBC Driver");
            }
        }
    }

    static void cursors() throws Exception {
        String rows = "SELECT i FROM generate_series(1, 1000) AS i";
        try (Connection c = connect(); Connection other = connect()) {
            for (Connection each : List.of(c, other)) each.setAutoCommit(false);
            try (Statement first = c.createStatement(); Statement second = c.createStatement();
                 Statement third = other.createStatement()) {
                for (Statement s : List.of(first, second, third)) s.setFetchSize(70);
                try (ResultSet a = first.executeQuery(rows); ResultSet b = second.executeQuery(rows + " ORDER BY 1 DESC");
                     ResultSet d = third.executeQuery(rows)) {
                    for (int i = 1; i <= 1000; i++) {
                        expect(a.next() && b.next() && d.next(), true);
                        expect(a.getInt(1) + b.getInt(1), 1001);
                        expect(d.getInt(1), i);
                        if (i == 500) expect(one(c, "SELECT 500"), 500);
                    }
                    expect(a.next() || b.next() || d.next(), false);
                }
                c.commit();
            }
            other.rollback();
            // Its rows are wanted after the commit: a cursor WITH HOLD.
            try (Statement s = c.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY,
                                                 ResultSet.HOLD_CURSORS_OVER_COMMIT)) {
                s.setFetchSize(70);
                ResultSet r = s.executeQuery(rows);
                r.next();
                c.commit();
                int sum = r.getInt(1);
                while (r.next()) sum += r.getInt(1);
                expect(sum, 500500);
            }
            c.rollback();
            try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
                try (ResultSet r = s.executeQuery("SELECT id, balance FROM " + more.get("accounts"))) {
                    expect(r.last(), true);
                    expect(r.getRow(), 8);
                    r.absolute(3);
                    r.updateLong(2, 4321);
                    r.updateRow();
                }
            }
            c.commit();
            expect(one(c, "SELECT max(balance) FROM " + more.get("accounts")), 4321L);
            c.commit();
        }
    }

    static void batches() throws Exception {
        String insert = "INSERT INTO " + more.get("moves") + " (client, turn, amount) VALUES (?, ?, ?)";
        int clients = 0;
        for (String rewrite : List.of("false", "true")) {
            for (String mode : List.of("simple", "extended")) {
                int client = clients++;
                try (Connection c = connect("reWriteBatchedInserts", rewrite, "preferQueryMode", mode, "prepareThreshold", "1");
                     PreparedStatement s = c.prepareStatement(insert)) {
                    for (boolean autoCommit : List.of(true, false)) {
                        c.setAutoCommit(autoCommit);
                        for (int i = 0; i < 777; i++) {
                            s.setInt(1, client);
                            s.setInt(2, autoCommit ? i : 1000 + i);
                            s.setInt(3, i);
                            s.addBatch();
                        }
                        expect(s.executeBatch().length, 777);
                    }
                    c.commit();
                    s.setInt(1, client);
                    s.setInt(2, 5000);
                    s.setInt(3, 1);
                    s.addBatch();
                    s.addBatch();
                    expect(failure(() -> {
                        try {
                            s.executeBatch();
                        } catch (BatchUpdateException error) {
                            throw (PSQLException) error.getNextException();
                        }
                    }).getSQLState(), "23505");
                    c.rollback();
                    try (Statement mixed = c.createStatement()) {
                        mixed.addBatch("UPDATE " + more.get("moves") + " SET note = 'b' WHERE client = " + client);
                        mixed.addBatch("DELETE FROM " + more.get("moves") + " WHERE turn >= 1000 AND client = " + client);
                        expect(Arrays.toString(mixed.executeBatch()), "[1554, 777]");
                    }
                    c.commit();
                    expect(one(c, "SELECT sum(amount) FROM " + more.get("moves") + " WHERE note = 'b' AND client = " + client),
                           777L * 388);
                    c.commit();
                }
            }
        }
    }

    static void thresholds() throws Exception {
        List<Connection> connections = new ArrayList<>();
        for (String threshold : List.of("0", "1", "5", "0", "1", "5", "-1"))
            connections.add(connect("prepareThreshold", threshold, "preparedStatementCacheQueries", "3"));
        for (int turn = 0; turn < 12; turn++) {
            for (Connection c : connections) {
                for (int i = 0; i < 5; i++) {
                    try (PreparedStatement s = c.prepareStatement("SELECT ? * " + i + ", ?")) {
                        if (turn % 4 == 3) s.setDouble(1, turn + 0.5);
                        else s.setInt(1, turn);
                        s.setString(2, "t" + turn);
                        try (ResultSet r = s.executeQuery()) {
                            r.next();
                            expect(r.getDouble(1), (turn + (turn % 4 == 3 ? 0.5 : 0)) * i);
                            expect(r.getString(2), "t" + turn);
                        }
                    }
                }
            }
        }
        for (Connection c : connections) c.close();
    }

    static void keys() throws Exception {
        String table = more.get("table");
        try (Connection c = connect()) {
            run(c, "CREATE TABLE " + table + " (id serial PRIMARY KEY, v text DEFAULT 'none')");
            String insert = "INSERT INTO " + table + " (v) VALUES (?)";
            for (int i = 1; i <= 8; i++) {
                try (PreparedStatement s = i % 2 == 0 ? c.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)
                                                      : c.prepareStatement(insert, new String[] {"id"})) {
                    s.setString(1, "v" + i);
                    expect(s.executeUpdate(), 1);
                    try (ResultSet r = s.getGeneratedKeys()) {
                        r.next();
                        expect(r.getInt("id"), i);
                    }
                }
            }
            try (PreparedStatement s = c.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
                for (int i = 0; i < 20; i++) {
                    s.setString(1, "batch");
                    s.addBatch();
                }
                s.executeBatch();
                ResultSet r = s.getGeneratedKeys();
                for (int i = 9; i <= 28; i++) {
                    r.next();
                    expect(r.getInt(1), i);
                }
            }
            try (Statement s = c.createStatement()) {
                expect(s.execute("SELECT 1; UPDATE " + table + " SET v = 'x' WHERE id < 4; SELECT 'a', v FROM " + table
                                 + " WHERE id = 1; DELETE FROM " + table), true);
                s.getResultSet().next();
                expect(s.getResultSet().getInt(1), 1);
                expect(s.getMoreResults(), false);
                expect(s.getUpdateCount(), 3);
                expect(s.getMoreResults(), true);
                s.getResultSet().next();
                expect(s.getResultSet().getString(2), "x");
                expect(s.getMoreResults(), false);
                expect(s.getUpdateCount(), 28);
                expect(s.getMoreResults() || s.getUpdateCount() != -1, false);
                expect(failure(() -> s.execute("INSERT INTO " + table + " DEFAULT VALUES; SELECT 1 / 0")).getSQLState(),
                       "22012");
            }
            try (PreparedStatement s = c.prepareStatement("INSERT INTO " + table + " (v) VALUES (?); SELECT ?::int + 1")) {
                s.setString(1, "two");
                s.setInt(2, 6);
                expect(s.execute(), false);
                expect(s.getMoreResults(), true);
                s.getResultSet().next();
                expect(s.getResultSet().getInt(1), 7);
            }
            expect(one(c, "SELECT string_agg(v, ',') FROM " + table), "two");
            try (CallableStatement s = c.prepareCall("{? = call abs(?)}")) {
                s.registerOutParameter(1, Types.INTEGER);
                s.setInt(2, -5);
                s.execute();
                expect(s.getInt(1), 5);
            }
            expect(c.getMetaData().getColumns(null, null, table, "v").next(), true);
            run(c, "DROP TABLE " + table);
        }
    }

    static void keepBooks(int client, int turns) throws Exception {
        String moves = more.get("moves"), accounts = more.get("accounts");
        String insert = "INSERT INTO " + moves + " VALUES (?, ?, ?, ?)";
        long total = 0;
        try (Connection c = connect("prepareThreshold", List.of("0", "1", "5").get(client % 3),
                                    "options", "-c howdah_test.client=" + client, "autosave", client % 4 == 0 ? "always" : "never",
                                    "reWriteBatchedInserts", String.valueOf(client % 2 == 0))) {
            for (int turn = 0; turn < turns; turn++) {
                int amount = (client * 31 + turn * 7) % 50 + 1, now = turn;
                int source = (client + turn) % 8, sink = (source + 1 + client % 3) % 8;
                String note = client + "/" + turn + " \u00e4 'quoted' \\ \u20ac";
                total += amount;
                c.setAutoCommit(false);
                try (PreparedStatement s = c.prepareStatement(insert)) {
                    s.setInt(1, client);
                    s.setInt(2, turn);
                    s.setInt(3, amount);
                    s.setString(4, note);
                    expect(s.executeUpdate(), 1);
                    Savepoint point = c.setSavepoint();
                    s.setInt(2, 1000 + turn);
                    s.executeUpdate();
                    s.setInt(2, turn);
                    expect(failure(s::executeUpdate).getSQLState(), "23505");
                    c.rollback(point);
                }
                try (PreparedStatement s = c.prepareStatement("UPDATE " + accounts + " SET balance = balance + ? WHERE id = ?")) {
                    for (int id : new int[] {Math.min(source, sink), Math.max(source, sink)}) {
                        s.setInt(1, id == source ? -amount : amount);
                        s.setInt(2, id);
                        s.addBatch();
                    }
                    expect(Arrays.toString(s.executeBatch()), "[1, 1]");
                }
                c.commit();
                try (PreparedStatement s = c.prepareStatement("SELECT i * ? FROM generate_series(1, 100) AS i")) {
                    s.setFetchSize(30);
                    s.setInt(1, client);
                    long sum = 0;
                    try (ResultSet r = s.executeQuery()) {
                        while (r.next()) sum += r.getLong(1);
                    }
                    expect(sum, 5050L * client);
                }
                c.rollback();
                c.setAutoCommit(true);
                try (PreparedStatement s = c.prepareStatement(
                         "SELECT count(*), sum(amount), max(note) FILTER (WHERE turn = ?) FROM " + moves + " WHERE client = ?")) {
                    s.setInt(1, turn);
                    s.setInt(2, client);
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        expect(r.getInt(1), turn + 1);
                        expect(r.getLong(2), total);
                        expect(r.getString(3), note);
                    }
                }
                expect(one(c, "SELECT " + client + " * " + now), client * now);
                expect(one(c, "SHOW howdah_test.client"), String.valueOf(client));
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                c.unwrap(PGConnection.class).getCopyAPI().copyOut(
                    "COPY (SELECT turn FROM " + moves + " WHERE client = " + client + " ORDER BY turn) TO STDOUT", out);
                expect(out.toString().split("\n").length, turn + 1);
            }
        }
    }

    static void crowd() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(20);
        List<Future<?>> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int client = i;
            clients.add(threads.submit(() -> {
                keepBooks(client, Integer.parseInt(more.get("turns")));
                return null;
            }));
        }
        threads.shutdown();
        for (Future<?> client : clients) client.get();
    }

    public static void main(String[] arguments) throws Exception {
        url = arguments[1];
        user = arguments[2];
        password = arguments[3];
        for (int i = 4; i < arguments.length; i += 2) more.put(arguments[i], arguments[i + 1]);
        Map<String, Check> checks = new HashMap<>(Map.of("cursors", Client::cursors, "batches", Client::batches,
            "thresholds", Client::thresholds, "keys", Client::keys, "crowd", Client::crowd));
        checks.putAll(Map.of("login", Client::login, "prepared", Client::prepared,
            "batch", Client::batch, "transactions", Client::transactions, "copy", Client::copy,
            "cancel", Client::cancel, "big", Client::big, "parameter", Client::parameter,
            "errors", Client::errors, "settings", Client::settings));
        checks.get(arguments[0]).run();
    }
}
