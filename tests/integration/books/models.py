"""A small library with its migrations, and the tables of howdah_test/ledger.py."""
import os

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=60, unique=True)
    more = models.JSONField(default=dict)


class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    title = models.CharField(max_length=60)
    pages = models.IntegerField(default=0)
    kind = models.CharField(max_length=10)

    class Meta:
        indexes = [models.Index(fields=["title"], name="books_title")]
        constraints = [models.CheckConstraint(check=models.Q(pages__gte=0), name="pages_positive")]


class Account(models.Model):
    id = models.IntegerField(primary_key=True)
    balance = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = os.environ.get("LEDGER_ACCOUNTS", "accounts")


class Move(models.Model):
    client = models.IntegerField(primary_key=True)  # together with turn, which Django cannot say
    turn = models.IntegerField()
    amount = models.IntegerField()
    note = models.TextField()

    class Meta:
        managed = False
        db_table = os.environ.get("LEDGER_MOVES", "moves")
