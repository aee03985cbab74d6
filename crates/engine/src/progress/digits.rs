//! Serializes estimates with only as many digits as mean something: seventeen digits make a message longer, but nothing
//! clearer. In Rust the values are not rounded.

use serde::Serializer;

/// Serializes a rate with five significant digits.
#[allow(clippy::ref_option)] // `serialize_with` requires it.
pub(crate) fn rate<S: Serializer>(rate: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    write(rate.map(|rate| round(rate, 4 - magnitude(rate))), serializer)
}

/// Serializes a fraction with six decimals. A fraction below 1 is never written as 1.
#[allow(clippy::ref_option)]
pub(crate) fn fraction<S: Serializer>(fraction: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    const MOST: f64 = 0.999_999;
    let rounded = |fraction| if fraction < 1.0 { round(fraction, 6).min(MOST) } else { fraction };
    write(fraction.map(rounded), serializer)
}

fn write<S: Serializer>(number: Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.serialize_some(&number),
        None => serializer.serialize_none(),
    }
}

/// Returns the exponent of the first digit: 0 for 1 to 9, 1 for 10 to 99.
#[allow(clippy::cast_possible_truncation)] // No double has a thousand digits.
fn magnitude(number: f64) -> i32 {
    if number == 0.0 { 0 } else { number.abs().log10().floor() as i32 }
}

/// Rounds to this many decimals. If `decimals` is negative, rounds that many digits before the point.
fn round(number: f64, decimals: i32) -> f64 {
    // Larger powers of ten are not exact, and the result would have seventeen digits again.
    const EXACT: i32 = 22;
    let power = 10_f64.powi(decimals.abs().min(EXACT));
    let rounded = if decimals < 0 { (number / power).round() * power } else { (number * power).round() / power };
    if rounded.is_finite() { rounded } else { number }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Written {
        #[serde(serialize_with = "super::rate")]
        rate: Option<f64>,
        #[serde(serialize_with = "super::fraction")]
        fraction: Option<f64>,
    }

    fn written(rate: f64, fraction: f64) -> String {
        serde_json::to_string(&Written { rate: Some(rate), fraction: Some(fraction) }).unwrap()
    }

    #[test]
    fn numbers_are_written_with_few_digits() {
        assert_eq!(written(9.902_552_017_019_25, 1.0 / 3.0), r#"{"rate":9.9026,"fraction":0.333333}"#);
        assert_eq!(written(123_456_789.123, 2.0 / 3.0), r#"{"rate":123460000.0,"fraction":0.666667}"#);
        assert_eq!(written(0.000_123_456_78, 0.5), r#"{"rate":0.00012346,"fraction":0.5}"#);
        assert_eq!(written(0.0, 0.0), r#"{"rate":0.0,"fraction":0.0}"#);
        assert_eq!(written(1_000.0, 1.0), r#"{"rate":1000.0,"fraction":1.0}"#);
        let none = serde_json::to_string(&Written { rate: None, fraction: None }).unwrap();
        assert_eq!(none, r#"{"rate":null,"fraction":null}"#);
    }

    #[test]
    fn a_fraction_below_one_is_never_written_as_one() {
        assert_eq!(written(1.0, 0.999_999_9), r#"{"rate":1.0,"fraction":0.999999}"#);
    }

    proptest! {
        #[test]
        fn numbers_are_short_and_close(rate in prop_oneof![0.0..10.0, 0.0..1e12, 1e-6..1e-3], fraction in 0.0..=1.0) {
            let text = written(rate, fraction);
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!((read["rate"].as_f64().unwrap() - rate).abs() <= rate * 0.000_051, "{text}");
            prop_assert!((read["fraction"].as_f64().unwrap() - fraction).abs() <= 0.000_001, "{text}");
            prop_assert!(text.len() <= r#"{"rate":,"fraction":0.000000}"#.len() + 16, "{text}");
        }
    }
}
