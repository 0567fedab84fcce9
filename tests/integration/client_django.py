"""The Django side of test_django.py: runs the check that is named by the first argument."""
import json
import os
import sys
from pathlib import Path

import django
from django.conf import settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
# pylint: disable=wrong-import-position
from howdah_test.ledger import amount_of, changes_of, note_of, together  # noqa: E402

CHECK, GIVEN = sys.argv[1], json.loads(sys.argv[2])
os.environ.update(LEDGER_ACCOUNTS=GIVEN["accounts"], LEDGER_MOVES=GIVEN["moves"])
settings.configure(
    INSTALLED_APPS=["books"], USE_TZ=True, TIME_ZONE="UTC", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "HOST": GIVEN["host"], "PORT": GIVEN["port"], "USER": GIVEN["user"],
        "PASSWORD": GIVEN["password"], "NAME": GIVEN["dbname"], "DISABLE_SERVER_SIDE_CURSORS": False,
        "CONN_MAX_AGE": None}})
django.setup()

from books.models import Account, Author, Book, Move  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, OperationalError, connection, models, transaction  # noqa: E402


def expect(actual, wanted):
    assert actual == wanted, (actual, wanted)


def refused(error, work):
    """`work` fails inside a transaction (or savepoint) of its own."""
    try:
        with transaction.atomic():
            work()
    except error:
        return
    raise AssertionError(f"no {error}")


def migrated(check):
    """Runs the check on the application's tables, which are gone afterwards."""
    def run():
        try:
            call_command("migrate", verbosity=0)
            check()
        finally:
            call_command("migrate", "books", "zero", verbosity=0)
            with connection.cursor() as cursor:
                expect([t for t in connection.introspection.table_names(cursor) if t.startswith("books_")], [])
                cursor.execute("DROP TABLE django_migrations")
    return run


@migrated
def migrations():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    expect(Book.objects.filter(kind="paper").aggregate(n=models.Count("*"), pages=models.Sum("pages")),
           {"n": 50, "pages": 1225})
    with transaction.atomic(), connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "books_book")
    expect({"books_title", "pages_positive"} <= set(constraints), True)
    call_command("migrate", "books", "0001", verbosity=0)
    call_command("migrate", verbosity=0)
    expect(Author.objects.count(), 1)


@migrated
def orm():
    Author.objects.bulk_create([Author(name=f"a{n}", more={"n": n}) for n in range(20)])
    for author in Author.objects.filter(name__startswith="a"):
        author.books.bulk_create([Book(author=author, title=f"{author.name} {n}", kind="e", pages=n) for n in range(5)])
    expect(Author.objects.get(more__n=7).name, "a7")
    expect(Book.objects.select_related("author").get(title="a3 4").author.more, {"n": 3})
    expect([len(author.books.all()) for author in Author.objects.filter(more__n__lt=3).prefetch_related("books")], [5] * 3)
    expect(Book.objects.filter(kind="e").update(pages=models.F("pages") * 2), 100)
    expect(Author.objects.annotate(n=models.Sum("books__pages")).get(name="a1").n, 20)
    expect(Author.objects.update_or_create(name="a1", defaults={"more": {}})[1], False)
    expect(Author.objects.get_or_create(name="new")[1], True)
    with transaction.atomic():
        Author.objects.create(name="kept")
        refused(IntegrityError, lambda: Author.objects.create(name="kept"))
        refused(IntegrityError, lambda: Book.objects.filter(title="a1 1").update(pages=-1))
        done = []
        transaction.on_commit(lambda: done.append(1))
        expect(done, [])
    expect((Author.objects.filter(name="kept").count(), done), (1, [1]))
    expect(Author.objects.filter(name="a2").delete()[0], 6)
    expect(len(Book.objects.raw("SELECT * FROM books_book WHERE kind = %s", ["e"])), 95)


@migrated
def iterators():
    author = Author.objects.create(name="one")
    Book.objects.bulk_create([Book(author=author, title=str(n), kind="i", pages=n) for n in range(3000)])
    books = Book.objects.filter(kind="i").order_by("pages")
    # Outside of a transaction the cursor is WITH HOLD, and other statements come in between.
    seen = []
    for book in books.iterator(chunk_size=400):
        if book.pages % 1000 == 0:
            expect(Book.objects.get(pages=book.pages, kind="i").title, str(book.pages))
            Author.objects.create(name=f"meanwhile {book.pages}")
        seen.append(book.pages)
    expect(seen, list(range(3000)))
    with transaction.atomic():
        expect([pages for pages in books.values_list("pages", flat=True).iterator(chunk_size=70)], seen)
    two = books.iterator(chunk_size=10), books.reverse().iterator(chunk_size=10)
    expect([(next(two[0]).pages, next(two[1]).pages) for _ in range(25)], [(n, 2999 - n) for n in range(25)])
    for left in two:
        left.close()
    expect(Book.objects.filter(kind="i").count(), 3000)


def locks():
    """What one connection has locked, another cannot lock, and can when it is over."""
    def other(**options):
        found = []

        def lock(_):
            try:
                with transaction.atomic():
                    accounts = Account.objects.select_for_update(**options).filter(id__lt=4).order_by("id")
                    found.extend(accounts.values_list("id", flat=True))
            except OperationalError as error:
                found.append(error.__cause__.pgcode)
            finally:
                connection.close()

        together(lock, 1)
        return found

    with transaction.atomic():
        expect(Account.objects.select_for_update().get(id=2).balance, 1000)
        expect(other(nowait=True), ["55P03"])
        expect(other(skip_locked=True), [0, 1, 3])
    expect(other(nowait=True), [0, 1, 2, 3])


def keep_books(client):
    total = 0
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET howdah_test.client = %s", [str(client)])
        for turn in range(GIVEN["turns"]):
            total += amount_of(client, turn)
            row = {"client": client, "turn": turn, "amount": amount_of(client, turn), "note": note_of(client, turn)}
            with transaction.atomic():
                Move.objects.create(**row)
                refused(IntegrityError, lambda: Move.objects.bulk_create([Move(**{**row, "turn": 1000 + turn}), Move(**row)]))
                for number, difference in changes_of(client, turn):
                    account = Account.objects.select_for_update().get(id=number)
                    account.balance += difference
                    account.save()
            mine = Move.objects.filter(client=client)
            expect(mine.aggregate(n=models.Count("*"), total=models.Sum("amount")), {"n": turn + 1, "total": total})
            expect(list(mine.order_by("turn").values_list("note", flat=True).iterator(chunk_size=3)),
                   [note_of(client, n) for n in range(turn + 1)])
            with connection.cursor() as cursor:
                cursor.execute("SHOW howdah_test.client")
                expect(cursor.fetchone(), (str(client),))
    finally:
        connection.close()


def crowd():
    together(keep_books)


{"migrations": migrations, "orm": orm, "iterators": iterators, "locks": locks, "crowd": crowd}[CHECK]()
