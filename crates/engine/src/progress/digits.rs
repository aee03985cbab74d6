//! Estimates for people, written with no more digits than they mean: seventeen of them make a message longer, and nothing
//! clearer. In Rust they stay as they are.

use serde::Serializer;

/// A rate, with five significant digits.
#[allow(clippy::ref_option)] // As `serialize_with` has it.
pub(crate) fn rate<S: Serializer>(rate: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    write(rate.map(|rate| round(rate, 4 - magnitude(rate))), serializer)
}

/// A fraction, with six decimals; what is not all is never written as 1.
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

/// The place of the first digit before the point, from 0.
#[allow(clippy::cast_possible_truncation)] // No double has a thousand digits.
fn magnitude(number: f64) -> i32 {
    if number == 0.0 { 0 } else { number.abs().log10().floor() as i32 }
}

/// `number` with so many decimals, or zeros before the point if negative.
fn round(number: f64, decimals: i32) -> f64 {
    // Larger powers of ten are not exact, and then the result has its seventeen digits again.
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
    fn what_is_written_is_short_and_close() {
        assert_eq!(written(9.902_552_017_019_25, 1.0 / 3.0), r#"{"rate":9.9026,"fraction":0.333333}"#);
        assert_eq!(written(123_456_789.123, 2.0 / 3.0), r#"{"rate":123460000.0,"fraction":0.666667}"#);
        assert_eq!(written(0.000_123_456_78, 0.5), r#"{"rate":0.00012346,"fraction":0.5}"#);
        assert_eq!(written(0.0, 0.0), r#"{"rate":0.0,"fraction":0.0}"#);
        assert_eq!(written(1_000.0, 1.0), r#"{"rate":1000.0,"fraction":1.0}"#);
        let none = serde_json::to_string(&Written { rate: None, fraction: None }).unwrap();
        assert_eq!(none, r#"{"rate":null,"fraction":null}"#);
    }

    #[test]
    fn what_is_not_all_is_never_written_as_all() {
        assert_eq!(written(1.0, 0.999_999_9), r#"{"rate":1.0,"fraction":0.999999}"#);
    }

    proptest! {
        #[test]
        fn no_number_is_long_or_far_off(rate in prop_oneof![0.0..10.0, 0.0..1e12, 1e-6..1e-3], fraction in 0.0..=1.0) {
            let text = written(rate, fraction);
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!((read["rate"].as_f64().unwrap() - rate).abs() <= rate * 0.000_051, "{text}");
            prop_assert!((read["fraction"].as_f64().unwrap() - fraction).abs() <= 0.000_001, "{text}");
            prop_assert!(text.len() <= r#"{"rate":,"fraction":0.000000}"#.len() + 16, "{text}");
        }
    }
}
