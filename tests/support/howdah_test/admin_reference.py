"""docs/admin-reference.md, made of what the admin interface says about itself."""

HEAD = """# Reference of the admin interface

Made from the tables `stats.howdah_commands` and `stats.howdah_columns` of a running Howdah; renew it with
`HOWDAH_RENEW_DOCS=1 python3 -m pytest tests/integration/test_admin.py -k reference`. What it is for: [admin.md](admin.md).
"""


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def render(rows):
    """`rows(sql)` answers a query of an administrator."""
    out = [HEAD, "\n## Commands\n"]
    headings = []
    for heading, *_ in rows("SELECT heading FROM stats.howdah_commands"):
        if heading not in headings:
            headings.append(heading)
    for heading in headings:
        out.append(f"\n### {heading}\n\n| command | who | what it does |\n|---|---|---|\n")
        for syntax, privilege, doc in rows(
                "SELECT syntax, privilege, doc FROM stats.howdah_commands WHERE heading = '" + heading.replace("'", "''") + "'"):
            out.append(f"| `{cell(syntax)}` | {privilege} | {cell(doc)} |\n")
    out.append("\n## Tables of the configuration\n\nIn `main` (MEMORY), as `runtime_...` (RUNTIME, read-only) and in `disk`.\n")
    for name, in rows("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'runtime\\_%' ESCAPE '\\'"
                      " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"):
        docs = dict(rows(f"SELECT column_name, doc FROM stats.howdah_columns WHERE table_name = 'runtime_{name}'"))
        out.append(f"\n### {name}\n\n| column | type | default | |\n|---|---|---|---|\n")
        for column, kind, not_null, default, key in rows(
                f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{name}')"):
            flags = kind + (" NOT NULL" if not_null else "") + (", key" if key else "")
            shown = "" if default is None else f"`{cell(default)}`"
            out.append(f"| {column} | {flags} | {shown} | {cell(docs.get(column, ''))} |\n")
    out.append("\n## Live tables\n\nMade when somebody asks; any SELECT, join and aggregate works on them.\n")
    tables = []
    for schema, table, doc in rows("SELECT DISTINCT schema_name, table_name, table_doc FROM stats.howdah_columns"
                                   " WHERE schema_name NOT IN ('pg_catalog', 'information_schema')"
                                   " AND (schema_name <> 'main' OR table_name = 'runtime_pgsql_servers')"):
        tables.append((schema, table, doc))
    for schema, table, doc in tables:
        out.append(f"\n### {schema}.{table}\n\n{doc}\n\n| column | type | |\n|---|---|---|\n")
        for column, kind, text in rows("SELECT column_name, type, doc FROM stats.howdah_columns"
                                       f" WHERE schema_name = '{schema}' AND table_name = '{table}'"):
            out.append(f"| {column} | {kind} | {cell(text)} |\n")
    return "".join(out)
