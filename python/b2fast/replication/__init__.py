"""Replication of buckets."""
