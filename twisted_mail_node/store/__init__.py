"""The mailbox backends: where mail, queue and directory rest. Neighbours: `interfaces` for their doors."""
