//! How the queues stand, as metrics: by the age of the oldest waiting job operations decide how many workers there are.

use std::time::Duration;

use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::Queue;

/// How often the queues are measured.
const EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn measure_for_ever(queue: &Queue) {
    loop {
        for job in JobName::ALL {
            let Ok(stats) = queue.stats(*job).await else { continue };
            let name = job.as_str();
            let gauges = [
                ("frontdesk_queue_ready", stats.ready),
                ("frontdesk_queue_delayed", stats.delayed),
                ("frontdesk_queue_running", stats.running),
                ("frontdesk_queue_dead", stats.dead),
                ("frontdesk_queue_slots", stats.slots),
            ];
            for (gauge, value) in gauges {
                metrics::gauge!(gauge, "queue" => name).set(value as f64);
            }
            metrics::gauge!("frontdesk_queue_oldest_ready_seconds", "queue" => name).set(stats.oldest_ready_ms as f64 / 1000.0);
        }
        tokio::time::sleep(EVERY).await;
    }
}
