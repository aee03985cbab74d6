//! Statistics that sum up many figures in one.

/// Returns the median: the figure in the middle, or the mean of the two in the middle. NaN if there are no figures.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let upper = figures.len() / 2;
    let lower = figures.len().saturating_sub(1) / 2;
    figures.get(lower).zip(figures.get(upper)).map_or(f64::NAN, |(lower, upper)| f64::midpoint(*lower, *upper))
}

/// Returns a percentile: in sorted order, the first figure after `percent` per cent of all figures, or the largest one
/// if none is left. NaN if there are no figures.
pub fn percentile(figures: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let mut figures: Vec<_> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let place = figures.len() * percent / 100;
    figures.get(place.min(figures.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Returns the largest figure. NaN if there are no figures.
pub fn most(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::NAN, f64::max)
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // All values are exact.
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_percentile_has_that_share_of_the_figures_below_it() {
        let figures = || (0..400).rev().map(f64::from);
        assert_eq!(percentile(figures(), 99), 396.0);
        assert_eq!(percentile(figures(), 100), 399.0);
        assert_eq!(percentile([7.0], 99), 7.0);
    }

    #[test]
    fn the_most_is_the_largest() {
        assert_eq!(most(&[1.0, 3.0, 2.0]), 3.0);
        assert!(most(&[]).is_nan());
    }
}
