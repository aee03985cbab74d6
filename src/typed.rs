/// Requires `specta::Type` with the feature `specta`, and nothing without it.
///
/// Only [`Builder::task`](crate::Builder::task) has this bound, so a crate that only defines handlers compiles with the
/// feature and without it.
#[cfg(feature = "specta")]
pub trait Typed: specta::Type {}
#[cfg(feature = "specta")]
impl<T: specta::Type> Typed for T {}

/// Requires `specta::Type` with the feature `specta`, and nothing without it.
#[cfg(not(feature = "specta"))]
pub trait Typed {}
#[cfg(not(feature = "specta"))]
impl<T> Typed for T {}
