"""Brings what lies elsewhere into the landing folder: files of buckets and servers, rows of databases.

What has been fetched is a file like any other: landing fingerprints it, sorts its rows into partitions, and keeps
what cannot be used in quarantine.
"""

from fraudops.intake.fetching.access import Access
from fraudops.intake.fetching.arrival import land_all
from fraudops.intake.fetching.fetch import Fetched, fetch, settle

__all__ = ["Access", "Fetched", "fetch", "land_all", "settle"]
