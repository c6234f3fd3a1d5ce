"""Replication of buckets, in v2."""
