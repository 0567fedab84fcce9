import java.sql.*;
import java.util.*;

/** What tools that speak JDBC find out about the admin interface; for test_admin_psql.py. */
public class Metadata {
    static List<String> rows(ResultSet r, String... columns) throws SQLException {
        List<String> out = new ArrayList<>();
        while (r.next()) {
            StringJoiner row = new StringJoiner(" ");
            for (String column : columns) row.add(String.valueOf(r.getString(column)));
            out.add(row.toString());
        }
        return out;
    }

    public static void main(String[] arguments) throws Exception {
        try (Connection c = DriverManager.getConnection(arguments[0], "admin", "admin")) {
            DatabaseMetaData m = c.getMetaData();
            System.out.println("catalogs " + rows(m.getCatalogs(), "TABLE_CAT"));
            System.out.println("schemas " + rows(m.getSchemas(), "TABLE_SCHEM"));
            System.out.println("tables " + rows(m.getTables(null, "main", "pgsql\\_ser%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME", "TABLE_TYPE"));
            System.out.println("views " + rows(m.getTables(null, "stats", "stats_pgsql_users", new String[] {"VIEW"}), "TABLE_NAME"));
            System.out.println("columns " + rows(m.getColumns(null, "main", "pgsql_users", "%"), "COLUMN_NAME", "TYPE_NAME", "IS_NULLABLE"));
            System.out.println("key " + rows(m.getPrimaryKeys(null, "main", "pgsql_servers"), "KEY_SEQ", "COLUMN_NAME", "PK_NAME"));
            System.out.println("indexes " + rows(m.getIndexInfo(null, "main", "pgsql_servers", true, false), "INDEX_NAME", "COLUMN_NAME"));
            System.out.println("types " + rows(m.getTypeInfo(), "TYPE_NAME").contains("int8"));
            System.out.println("imported " + rows(m.getImportedKeys(null, "main", "pgsql_servers"), "PKTABLE_NAME"));
            System.out.println("functions " + rows(m.getFunctions(null, null, "%"), "FUNCTION_NAME"));
            System.out.println("keywords " + m.getSQLKeywords().contains("pragma"));
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT * FROM pgsql_servers")) {
                System.out.println("result " + r.getMetaData().getColumnTypeName(1) + " " + r.getMetaData().getColumnType(2));
            }
        }
    }
}
