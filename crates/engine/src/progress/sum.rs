use super::Unit;

/// The progress of the members of a batch, added up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sum {
    pub(crate) completed: u64,
    /// `None` until the totals of all members are known.
    pub(crate) total: Option<u64>,
    /// The mean of the members' fractions. It can't be computed from the sum while members with unknown totals wait.
    pub(crate) fraction: f64,
    /// The unit of all members, if it is the same.
    pub(crate) unit: Unit,
}
