"""Pure rules and values: no I/O, no clock, no settings. Times and secrets are passed in."""
