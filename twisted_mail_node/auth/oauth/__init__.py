"""OAuth tokens: `tokens` decides whose one is; `signed` and `introspection` say what is in it; `web` and `keys` ask."""
