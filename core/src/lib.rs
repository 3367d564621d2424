//! What every Frontdesk process shares: settings, tenancy, queue, jobs, models, reads.
