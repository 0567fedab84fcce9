"""Plays the same messages to PostgreSQL and through Howdah, and says where the answers differ."""
