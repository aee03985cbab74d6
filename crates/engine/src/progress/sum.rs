use super::Unit;

/// What the members of a batch have reported together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sum {
    pub(crate) completed: u64,
    /// `None` until the totals of all members are known.
    pub(crate) total: Option<u64>,
    /// The mean of the members' fractions: the sum says nothing as long as members wait with unknown totals.
    pub(crate) fraction: f64,
    /// What all count, if they count the same.
    pub(crate) unit: Unit,
}
