"""An index that is made CONCURRENTLY, outside of a transaction."""
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("books", "0002_changes")]
    operations = [AddIndexConcurrently("Book", models.Index(fields=["title"], name="books_title"))]
