//! The HTTP face of Frontdesk: authenticates, reads, enqueues.
