"""Requests about traces."""
