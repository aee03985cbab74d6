//! Whether two JSON texts hold the same value, however large or exact their numbers are.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::value::RawValue;

use super::shape::{MOST_LEVELS, Members, Shape};

/// Returns whether the two hold the same value. If one is nested more than [`MOST_LEVELS`] deep, only the same text is.
pub(super) fn same(one: &RawValue, other: &RawValue) -> bool {
    same_within(one, other, MOST_LEVELS)
}

fn same_within(one: &RawValue, other: &RawValue, levels: usize) -> bool {
    if one.get() == other.get() {
        return true;
    }
    let (Ok(one), Ok(other)) = (Shape::of(one.get()), Shape::of(other.get())) else { return false };
    match (one, other) {
        (Shape::Number(one), Shape::Number(other)) => same_number(one, other),
        (Shape::String(one), Shape::String(other)) => one == other,
        (Shape::Array(one), Shape::Array(other)) => {
            let pairs = || one.iter().zip(&other);
            levels > 0 && one.len() == other.len() && pairs().all(|(one, other)| same_within(one, other, levels - 1))
        }
        (Shape::Object(one), Shape::Object(other)) => {
            let (one, other) = (by_key(&one), by_key(&other));
            let is_same = |(key, member): (_, &&RawValue)| {
                other.get(key).is_some_and(|other| same_within(member, other, levels - 1))
            };
            levels > 0 && one.len() == other.len() && one.iter().all(is_same)
        }
        // The others have only one text each.
        _ => false,
    }
}

/// If a key occurs twice, the last member counts, as for any reader.
fn by_key<'a>(members: &'a Members<'_>) -> BTreeMap<&'a str, &'a RawValue> {
    members.iter().map(|(key, member)| (key.as_str(), *member)).collect()
}

/// Returns whether two numbers are the same. An integer and a float are not, since they can't be read as the same types.
fn same_number(one: &str, other: &str) -> bool {
    one == other
        || is_float(one) == is_float(other)
            && Decimal::of(one).is_some_and(|one| Decimal::of(other).is_some_and(|other| one == other))
}

fn is_float(number: &str) -> bool {
    number.contains(['.', 'e', 'E']) || number == "-0"
}

/// A number of any size: its digits without zeros at either end, and by which power of ten the point comes after them.
#[derive(PartialEq)]
struct Decimal {
    sign: Ordering,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Returns `None` if the exponent itself is too large.
    fn of(number: &str) -> Option<Self> {
        let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Self { sign: Ordering::Equal, digits: String::new(), exponent: 0 });
        }
        let exponent = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let sign = if is_negative { Ordering::Less } else { Ordering::Greater };
        Some(Self { sign, digits: digits.to_owned(), exponent: exponent.checked_add(zeros)? })
    }
}
