import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;
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

    public static void main(String[] arguments) throws Exception {
        url = arguments[1];
        user = arguments[2];
        password = arguments[3];
        for (int i = 4; i < arguments.length; i += 2) more.put(arguments[i], arguments[i + 1]);
        Map<String, Check> checks = Map.of("login", Client::login, "prepared", Client::prepared,
            "batch", Client::batch, "transactions", Client::transactions, "copy", Client::copy,
            "cancel", Client::cancel, "big", Client::big, "parameter", Client::parameter,
            "errors", Client::errors, "settings", Client::settings);
        checks.get(arguments[0]).run();
    }
}
