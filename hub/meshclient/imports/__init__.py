"""Files of other programs as entries of catalogs: address books, calendars and bookmarks."""
