//! Stories across processes, against real servers.
