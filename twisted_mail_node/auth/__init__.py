"""Authentication: twisted.cred portal, checker, password hashes, and the record of failed attempts."""
