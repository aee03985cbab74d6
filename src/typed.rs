/// `specta::Type` with the feature `specta`, nothing without it.
///
/// The bound sits on [`Builder::task`](crate::Builder::task) alone, so a crate that only has handlers compiles either way.
#[cfg(feature = "specta")]
pub trait Typed: specta::Type {}
#[cfg(feature = "specta")]
impl<T: specta::Type> Typed for T {}

/// `specta::Type` with the feature `specta`, nothing without it.
#[cfg(not(feature = "specta"))]
pub trait Typed {}
#[cfg(not(feature = "specta"))]
impl<T> Typed for T {}
