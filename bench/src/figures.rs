//! Medians and percentiles.

/// Values of one measurement, sorted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.0
    }

    /// The value that `percent` of all do not exceed, by nearest rank; `None` of nothing.
    pub(crate) fn percentile(&self, percent: usize) -> Option<f64> {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied()
    }

    /// The middle value, or the mean of the two middle ones.
    pub(crate) fn median(&self) -> Option<f64> {
        let half = self.0.len() / 2;
        let upper = *self.0.get(half)?;
        Some(if self.0.len().is_multiple_of(2) { f64::midpoint(self.0[half - 1], upper) } else { upper })
    }

    pub(crate) fn min(&self) -> Option<f64> {
        self.0.first().copied()
    }

    pub(crate) fn max(&self) -> Option<f64> {
        self.0.last().copied()
    }

    /// How many do not exceed `limit`.
    pub(crate) fn within(&self, limit: f64) -> usize {
        self.0.partition_point(|value| *value <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sample = Sample::new((1..=100).rev().map(f64::from).collect());
        assert_eq!(sample.percentile(50), Some(50.0));
        assert_eq!(sample.percentile(95), Some(95.0));
        assert_eq!(sample.percentile(99), Some(99.0));
        assert_eq!(sample.max(), Some(100.0));
        assert_eq!(Sample::new(vec![7.0]).percentile(99), Some(7.0));
        assert_eq!(Sample::default().percentile(50), None);
    }

    #[test]
    fn median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(Sample::new(vec![4.0, 1.0, 3.0, 2.0]).median(), Some(2.5));
        assert_eq!(Sample::new(vec![9.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(Sample::default().median(), None);
    }

    #[test]
    fn a_value_on_the_limit_is_within_it() {
        assert_eq!(Sample::new(vec![3_000.0, 3_000.1, 1.0]).within(3_000.0), 2);
    }
}
