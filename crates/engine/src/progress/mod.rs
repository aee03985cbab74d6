pub(crate) mod cell;
pub(crate) mod conflation;
pub(crate) mod digits;
pub(crate) mod rate;
