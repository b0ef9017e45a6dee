"""MIME as mail really is: tolerant of whatever octets come, never raising, in linear time and bounded depth."""
