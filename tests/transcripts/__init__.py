"""The transcripts: see `rows`."""
