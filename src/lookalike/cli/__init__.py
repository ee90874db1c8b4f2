"""The command line: commands, printing and settings.

`main` is the door; it knows every command by name and loads only the one that was typed. Each module named after a
command holds that command (or a small family); the others serve them: `printing` (what a person and a program see),
`outcome` (errors to exit codes, the only place), `settings` (environment and default places, the only place),
`options` (shared options), `progress` and `interrupt` (long runs).

Results go to standard output, everything else to standard error.
"""
