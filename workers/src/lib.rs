//! The workers of Frontdesk: everything that changes something or talks to a provider.
