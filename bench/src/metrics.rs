//! Metrics of the processes under measurement, in Prometheus' text form.

/// The sum of all series of `name`, whatever their labels; `None` if there are none.
pub(crate) fn sum(text: &str, name: &str) -> Option<f64> {
    let of_name = |line: &str| {
        let (series, value) = line.rsplit_once(' ')?;
        let rest = series.strip_prefix(name)?;
        if rest.is_empty() || rest.starts_with('{') { value.parse::<f64>().ok() } else { None }
    };
    text.lines().filter_map(of_name).reduce(|sum, value| sum + value)
}

/// How the queues stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Queues {
    /// Jobs that wait, run, or will run again.
    pub(crate) open: f64,
    /// Dead letters.
    pub(crate) dead: f64,
}

impl Queues {
    /// From the scheduler's metrics; `None` before it has measured.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let gauge = |state: &str| sum(text, &format!("frontdesk_queue_{state}"));
        Some(Self { open: gauge("ready")? + gauge("delayed")? + gauge("running")?, dead: gauge("dead")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE frontdesk_queue_ready gauge\nfrontdesk_queue_ready{queue=\"a\"} 2\nfrontdesk_queue_ready{queue=\"b\"} 1\n\
        frontdesk_queue_delayed{queue=\"a\"} 4\nfrontdesk_queue_running{queue=\"a\"} 8\nfrontdesk_queue_dead{queue=\"a\"} 16\n\
        frontdesk_queue_ready_seconds{queue=\"a\"} 99\nplain 7\n";

    #[test]
    fn series_of_one_name_are_added_and_others_are_not() {
        assert_eq!(sum(TEXT, "frontdesk_queue_ready"), Some(3.0));
        assert_eq!(sum(TEXT, "plain"), Some(7.0));
        assert_eq!(sum(TEXT, "frontdesk_queue"), None);
    }

    #[test]
    fn queues_are_open_while_anything_waits_runs_or_will_run_again() {
        assert_eq!(Queues::read(TEXT), Some(Queues { open: 15.0, dead: 16.0 }));
        assert_eq!(Queues::read(""), None);
    }
}
