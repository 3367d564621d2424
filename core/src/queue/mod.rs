//! Our storage for apalis on Redis; the only module that touches its keys.
