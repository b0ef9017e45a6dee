"""Mail as others keep it: Maildir, mbox, folders of .eml files, an IMAP server. A file or two per format."""
