"""The monthly pack: what happened in a portfolio in a calendar month, as a page, a PDF, a table and a mail.

``month`` says which partitions belong to a month; the modules of ``sections`` read what the store and the database say
of them as of a moment; ``pack`` is what they found, as data; ``page``, ``paper`` and ``sheet`` write it for people;
``editions`` keeps it. Pictures, pages and sheets are made from the kept data alone, so that they are the same bytes
whenever they are made.
"""
