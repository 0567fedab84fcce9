"""The Django application of client_django.py."""
