use super::Unit;

/// The progress of the members of a batch, added up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sum {
    pub(crate) completed: u64,
    /// `None` until the totals of all members are known.
    pub(crate) total: Option<u64>,
    /// The mean of the members' fractions. It can't be computed from the sum while the totals of waiting members are
    /// unknown.
    pub(crate) fraction: f64,
    /// The unit of the members, if they all count the same.
    pub(crate) unit: Unit,
}
