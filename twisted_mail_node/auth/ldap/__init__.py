"""Users in an LDAP directory: `users` decides, `pool` and `connection` ask, `queries` has the words."""
