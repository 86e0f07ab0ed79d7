//! The verbs of a store over a directory and over the servers of `scripts/servers.sh`.
