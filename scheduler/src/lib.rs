//! Decides when: fires the schedule, relays the outbox, sweeps the queues.
