//! Measures Frontdesk in ratios, in one run.
