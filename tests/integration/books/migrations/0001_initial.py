"""The tables."""
import os

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Author", [
            ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
            ("name", models.CharField(max_length=60, unique=True)),
            ("more", models.JSONField(default=dict)),
        ]),
        migrations.CreateModel("Book", [
            ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
            ("author", models.ForeignKey("books.Author", models.CASCADE, related_name="books")),
            ("title", models.CharField(max_length=60)),
            ("pages", models.SmallIntegerField(default=0)),
        ]),
        migrations.CreateModel("Account", [
            ("id", models.IntegerField(primary_key=True, serialize=False)), ("balance", models.BigIntegerField()),
        ], options={"managed": False, "db_table": os.environ.get("LEDGER_ACCOUNTS", "accounts")}),
        migrations.CreateModel("Move", [
            ("client", models.IntegerField(primary_key=True, serialize=False)), ("turn", models.IntegerField()),
            ("amount", models.IntegerField()), ("note", models.TextField()),
        ], options={"managed": False, "db_table": os.environ.get("LEDGER_MOVES", "moves")}),
    ]
