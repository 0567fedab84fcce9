"""Rows, a column with a default, another type, a constraint: all in one transaction."""
from django.db import migrations, models


def write(apps, _schema_editor):
    author = apps.get_model("books", "Author").objects.create(name="migrated")
    apps.get_model("books", "Book").objects.bulk_create(
        apps.get_model("books", "Book")(author=author, title=f"t{n}", pages=n) for n in range(50))


def erase(apps, _schema_editor):
    apps.get_model("books", "Author").objects.filter(name="migrated").delete()


class Migration(migrations.Migration):
    dependencies = [("books", "0001_initial")]
    operations = [
        migrations.RunPython(write, erase),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.AddField("Book", "kind", models.CharField(max_length=10, default="paper"), preserve_default=False),
        migrations.AlterField("Book", "pages", models.IntegerField(default=0)),
        migrations.AddConstraint("Book", models.CheckConstraint(check=models.Q(pages__gte=0), name="pages_positive")),
    ]
