//! The measurements of one row.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::statistics;

/// Values by name, each with one number for each round.
pub struct Measured(HashMap<String, Vec<f64>>);

impl Measured {
    /// Reads `{"row": {"name": [1, 2], …}}`.
    pub fn parse(text: &str, row: &str) -> Result<Self> {
        let all: Value = serde_json::from_str(text).with_context(|| format!("this is not JSON: {text}"))?;
        let figures = all.get(row).and_then(Value::as_object);
        let figures = figures.with_context(|| format!("the row {row} is missing from {text}"))?;
        let values = |values: &Value| values.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
        let parsed = figures.iter().map(|(name, value)| {
            let values = values(value).filter(|values| !values.is_empty());
            Ok((name.clone(), values.with_context(|| format!("{name} of {row} is not a list of numbers: {value}"))?))
        });
        Ok(Self(parsed.collect::<Result<_>>()?))
    }

    pub fn all(&self, name: &str) -> Result<&[f64]> {
        self.0.get(name).map(Vec::as_slice).with_context(|| format!("{name} was not measured"))
    }

    /// Returns the median of all rounds.
    pub fn median(&self, name: &str) -> Result<f64> {
        Ok(statistics::median(self.all(name)?.iter().copied()))
    }

    pub fn most(&self, name: &str) -> Result<f64> {
        Ok(statistics::most(self.all(name)?))
    }

    pub fn percentile(&self, name: &str, percent: usize) -> Result<f64> {
        Ok(statistics::percentile(self.all(name)?.iter().copied(), percent))
    }

    /// Returns the median of the ratios of two figures in each round.
    pub fn ratio(&self, name: &str, to: &str) -> Result<f64> {
        let (figures, others) = (self.all(name)?, self.all(to)?);
        ensure!(figures.len() == others.len(), "{name} and {to} were not measured in the same rounds");
        Ok(statistics::median(figures.iter().zip(others).map(|(figure, other)| figure / other)))
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // All values are exact.
mod tests {
    use super::Measured;

    fn measured() -> Measured {
        Measured::parse(r#"{"row": {"a": [10, 4, 9], "b": [5, 1, 3.0], "c": [1]}}"#, "row").unwrap()
    }

    #[test]
    fn rounds_are_summarized() {
        let measured = measured();
        assert_eq!(measured.median("a").unwrap(), 9.0);
        assert_eq!(measured.most("a").unwrap(), 10.0);
        assert_eq!(measured.percentile("c", 99).unwrap(), 1.0);
    }

    #[test]
    fn a_ratio_compares_figures_of_the_same_round() {
        assert_eq!(measured().ratio("a", "b").unwrap(), 3.0);
        assert!(measured().ratio("a", "c").is_err());
    }

    #[test]
    fn missing_figures_are_an_error() {
        assert!(measured().median("d").is_err());
        for text in ["", "{}", r#"{"row": {"a": 1}}"#, r#"{"row": {"a": []}}"#, r#"{"row": {"a": ["1"]}}"#] {
            assert!(Measured::parse(text, "row").is_err(), "{text}");
        }
    }
}
